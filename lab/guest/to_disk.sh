# Turn the root in $1 (a tar) into $2/disk.raw, $2/vmlinuz and $2/initrd; the disk has $3 MiB. Needs (a namespace's) root.
set -eu
umask 022
root=$2/root
mkdir "$root"
tar --extract --numeric-owner --same-permissions --exclude=./dev/* --directory "$root" --file "$1"
rm "$1"
# mmdebstrap empties it; with none a boot counts as the first and turns on every service.
tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
kernel=$(ls -v "$root"/boot/vmlinuz-* "$root"/usr/lib/modules/*/vmlinuz 2> /dev/null | tail -n 1)
initrd=$(ls -v "$root"/boot/initrd.img-* | tail -n 1)
cp --dereference "$kernel" "$2/vmlinuz"
cp --dereference "$initrd" "$2/initrd"
basename "$initrd" | sed 's/^initrd.img-//' > "$2/kernel_version"
truncate --size "$3M" "$2/disk.raw"
mke2fs -q -t ext4 -F -L lab -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d "$root" "$2/disk.raw"
chmod -R u+rwX "$root"
rm -rf "$root"
