#!/bin/sh
# In place of systemctl: whoever asks for a reload is killed, once.
for word in "$@"; do
    if [ "$word" = daemon-reload ]; then
        rm -f "$0"
        kill -9 "$PPID"
        exit 1
    fi
done
PATH=/usr/bin:/bin exec systemctl "$@"
