"""Hold some memory, then copy much more than that into a file: ``writer.py FILE OWN_MIB WRITE_MIB``."""

import sys

MIB = 1024 * 1024

path, own_mib, write_mib = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
own = bytearray(own_mib * MIB)
for offset in range(0, len(own), 4096):
    own[offset] = 1
block = bytes(MIB)
with open(path, "wb", buffering=0) as file:
    for _ in range(write_mib):
        file.write(block)
print("finished, holding", len(own) // MIB, "MiB")
