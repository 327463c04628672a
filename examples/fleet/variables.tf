variable "hosts" {
  description = "Paths of the disks of each host, by the name of the host."
  type        = map(list(string))
  default = {
    "hv01.example.com" = [
      "D:/VMs/web01.vhdx",
      "D:/VMs/web02.vhdx",
    ]
    "hv02.example.com" = [
      "E:/VMs/sql01-data.vhdx",
    ]
  }
}

variable "min_file_size_bytes" {
  description = "Smaller files are left alone."
  type        = number
  default     = 10 * 1024 * 1024 * 1024
}

variable "recompact_growth_bytes" {
  description = "Growth that is worth another compaction, together with the percentage."
  type        = number
  default     = 5 * 1024 * 1024 * 1024
}

variable "recompact_growth_percent" {
  description = "Growth that is worth another compaction, together with the bytes."
  type        = number
  default     = 20
}
