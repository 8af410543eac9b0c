#!/bin/sh
# A host of its own for sysctls, though the kernel is shared: own_sysctls.sh FOLDER COMMAND... runs COMMAND where /proc/sys/vm is FOLDER/vm,
# /etc/sysctl.d is FOLDER/sysctl.d, and whatever else is written to /etc and /var/lib is gone with COMMAND. The kernel's values stay as they are.
set -eu
folder=$1
shift
mount -t tmpfs none "$folder/private"
for place in /etc /var/lib; do
    upper=$folder/private$place
    mkdir -p "$upper/upper" "$upper/work"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=$upper/upper,workdir=$upper/work" "$place"
done
mkdir -p /etc/memops /var/lib/memops /etc/sysctl.d
mount --bind "$folder/sysctl.d" /etc/sysctl.d
mount --bind "$folder/page" /etc/memops
mount --bind "$folder/journal" /var/lib/memops
mount --bind "$folder/vm" /proc/sys/vm
exec "$@"
