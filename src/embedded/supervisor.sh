# Runs a server for as long as the process that started this shell lives: standard input is a pipe from that process,
# and its end, however it came about, is the order to stop.
# usage: sh -c SCRIPT sh SIGNAL FOLDER PROGRAM [ARGUMENT...]
# SIGNAL stops the program gracefully; FOLDER is removed at the end ('' removes nothing).
signal=$1
folder=$2
shift 2
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{
    read -r _
    kill -s "$signal" "$program"
} <&3 >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
if [ -n "$folder" ]; then
    cd /
    rm -rf -- "$folder"
    # The parent goes with the last of its servers.
    rmdir -- "${folder%/*}" 2>/dev/null
fi
exit "$status"
