# In the new root ($1) after packages are installed: what makes it a machine of the lab.
set -eu
root=$1

printf '/dev/vda / ext4 errors=remount-ro 0 0\n' > "$root/etc/fstab"
printf 'lab\n' > "$root/etc/hostname"
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
: > "$root/etc/resolv.conf" # there is no network to ask; mmdebstrap leaves the builder's own
install -d "$root/var/log/journal" # the journal outlives a reboot

# QEMU's user-mode network is always this one: no DHCP to wait for.
install -d "$root/etc/systemd/network"
cat > "$root/etc/systemd/network/10-lab.network" <<'END'
[Match]
Name=e*

[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
END

# The keys of a run come through QEMU's firmware configuration, so that images hold no key.
rm -f "$root"/etc/ssh/ssh_host_*
cat > "$root/etc/ssh/sshd_config.d/lab.conf" <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 50
MaxSessions 50
END
install -d "$root/usr/local/lib/memops-lab"
cat > "$root/usr/local/lib/memops-lab/take-keys" <<'END'
#!/bin/sh
set -eu
modprobe qemu_fw_cfg
given=/sys/firmware/qemu_fw_cfg/by_name/opt/memops.lab
umask 077
mkdir -p /root/.ssh
cat $given/authorized_keys/raw > /root/.ssh/authorized_keys
cat $given/host_key/raw > /etc/ssh/ssh_host_ed25519_key
END
chmod 0755 "$root/usr/local/lib/memops-lab/take-keys"
cat > "$root/etc/systemd/system/memops-lab-keys.service" <<'END'
[Unit]
Description=Take the keys of this run
Before=ssh.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/lib/memops-lab/take-keys

[Install]
RequiredBy=ssh.service
END

# Quiet until a test asks: the daemons that kill are there but off, Docker starts when it is first
# spoken to. Docker loads its own AppArmor profile; loading all others costs seconds at each boot.
in_root() { chroot "$root" "$@"; }
in_root systemctl --quiet enable memops-lab-keys.service systemd-networkd.service ssh.service docker.socket
for unit in docker.service containerd.service earlyoom.service systemd-oomd.service systemd-oomd.socket stress-ng.service; do
    in_root systemctl --quiet disable "$unit" 2> /dev/null || true
done
for unit in getty@tty1.service serial-getty@ttyS0.service systemd-networkd-wait-online.service systemd-firstboot.service \
    apparmor.service ldconfig.service systemd-hwdb-update.service systemd-update-done.service \
    systemd-journal-catalog-update.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-resolved.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
