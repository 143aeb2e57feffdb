#!/bin/sh
# Finds what the tests need from the machine, or gets it from Debian. Silent where nothing is missing.
set -e
found() { for path in "$@"; do if [ -n "$path" ] && [ -x "$path" ]; then return 0; fi; done; return 1; }
command_is_there() { command -v "$1" >/dev/null 2>&1; }
missing=
found "$CHROME_PATH" /usr/bin/chromium /usr/bin/google-chrome || missing="$missing chromium"
found "$FIREFOX_PATH" /usr/bin/firefox-esr /usr/bin/firefox || missing="$missing firefox-esr"
found "$MINIBROWSER_PATH" /usr/lib/*/webkit2gtk-4.*/MiniBrowser || missing="$missing webkit2gtk-driver"
command_is_there xvfb-run || missing="$missing xvfb xauth"
found "$REDIS_SERVER_PATH" || command_is_there redis-server || missing="$missing redis-server"
if [ -z "$missing" ]; then exit 0; fi
if command_is_there apt-get && [ "$(id -u)" = 0 ]; then
	echo "Installing from Debian:$missing"
	apt-get update -q >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
else
	echo "The tests need what is not on this machine: install$missing." >&2
	exit 1
fi
