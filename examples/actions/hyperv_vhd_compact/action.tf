# terraform apply -invoke=action.hyperv_vhd_compact.web01
action "hyperv_vhd_compact" "web01" {
  config {
    path      = "D:/VMs/web01.vhdx"
    if_in_use = "skip"
  }
}

variable "cleaned_up_at" {
  description = "When the guest was last cleaned up; a new value compacts its disk."
  type        = string
}

resource "terraform_data" "clean_up" {
  input = var.cleaned_up_at

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.hyperv_vhd_compact.web01]
    }
  }
}
