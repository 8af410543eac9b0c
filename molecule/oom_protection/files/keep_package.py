"""Keep an installed package as a source of apt's, so that it can be installed again on a machine without a network: keep_package.py NAME FOLDER."""

import glob
import hashlib
import os
import shutil
import subprocess
import sys

NAME, FOLDER = sys.argv[1:]


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout


tree = FOLDER + "/tree"
os.makedirs(tree + "/DEBIAN")
for path in output("dpkg-query", "--listfiles", NAME).split("\n"):
    if os.path.isdir(path):
        os.makedirs(tree + path, exist_ok=True)
    elif os.path.lexists(path):
        shutil.copy2(path, tree + path, follow_symlinks=False)
for path in glob.glob(f"/var/lib/dpkg/info/{NAME}.*"):
    name = path.rpartition(".")[2]
    if name in ("preinst", "postinst", "prerm", "postrm", "conffiles"):
        shutil.copy2(path, tree + "/DEBIAN/" + name)
fields = ("Package", "Version", "Architecture", "Maintainer", "Depends", "Pre-Depends", "Description")
values = {field: output("dpkg-query", "--show", "--showformat=${" + field + "}", NAME) for field in fields}
control = "".join(f"{field}: {value}\n" for field, value in values.items() if value)
with open(tree + "/DEBIAN/control", "w") as stream:
    stream.write(control)
package = f"{FOLDER}/{NAME}.deb"
output("dpkg-deb", "--build", "--root-owner-group", tree, package)
with open(package, "rb") as stream:
    data = stream.read()
with open(FOLDER + "/Packages", "w") as stream:
    stream.write(f"{control}Filename: ./{NAME}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n")
