package hyperv

import "testing"

func TestSameComputer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"HV01", "hv01", true},
		{"HV01", "hv01.example.com", true},
		{"HV01", "HV02", false},
		{"HV01", "HV011", false},
		{"HYPERV-PRODUCTI", "hyperv-production-01.example.com", true},
		{"HYPERV-PRODUCT", "hyperv-production-01", false},
		{"hyperv-production-01", "hyperv-production-02", false},
		{"ГИПЕРВИЗОР-01", "гипервизор-01", true},
		{"ГИПЕРВИЗОР-01", "ГИПЕРВИЗОР-02", false}, // 23 bytes each
		{"ハイパーバイザ01", "ハイパーバイザ02", false},
		{"", "HV01", false},
	} {
		if got := sameComputer(c.a, c.b); got != c.want {
			t.Errorf("sameComputer(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
		if got := sameComputer(c.b, c.a); got != c.want {
			t.Errorf("sameComputer(%q, %q) = %v, want %v", c.b, c.a, got, c.want)
		}
	}
}
