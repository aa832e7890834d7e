# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bash completion for bannerprobe(8). bash-completion loads it; this file uses
# functions of bash-completion.

# Names are those of captures where one is read, else of interfaces.
_bannerprobe_names() {
	local word

	for word in "${words[@]:1:cword}"; do
		case $word in
		-r* | --read*)
			_filedir
			return
			;;
		esac
	done
	COMPREPLY=($(cd /sys/class/net && compgen -d -- "$cur"))
}

# One of several words with commas between them: the last one is completed.
_bannerprobe_list() {
	local before=

	[[ $cur != *,* ]] || before=${cur%,*},
	COMPREPLY=($(compgen -P "$before" -W "$1" -- "${cur##*,}"))
}

_bannerprobe() {
	local cur prev words cword split

	_init_completion -s || return
	case $prev in
	-f | --format) COMPREPLY=($(compgen -W 'text json zeek' -- "$cur")) ;;
	--stats-format) COMPREPLY=($(compgen -W 'text json' -- "$cur")) ;;
	--events) _bannerprobe_list 'banner request response reply open all' ;;
	--need) COMPREPLY=($(compgen -W 'own syn handshake none' -- "$cur")) ;;
	--log) COMPREPLY=($(compgen -W 'all changes' -- "$cur")) ;;
	--key) COMPREPLY=($(compgen -W 'vlan' -- "$cur")) ;;
	--decap-key) COMPREPLY=($(compgen -W 'yes no' -- "$cur")) ;;
	--hook) COMPREPLY=($(compgen -W 'auto xdp xdp-native xdp-generic tc' -- "$cur")) ;;
	-o | --output | -r | --read | --metrics | --inventory | --probes) _filedir ;;
	--recog) _filedir -d ;;
	--user) COMPREPLY=($(compgen -u -- "$cur")) ;;
	-i | --interface) COMPREPLY=($(cd /sys/class/net && compgen -d -- "$cur")) ;;
	-j | --jobs | -l | --length | --max-flows | --max-rate | --decap-from | --net | --not-net | --port | --gone) ;;
	-h | --help | -V | --version) ;;
	*)
		# The values of these come after a = only.
		if $split && [[ $prev == --stats || $prev == --gather ]]; then
			return
		elif $split && [[ $prev == --decap ]]; then
			_bannerprobe_list 'all none vxlan geneve gre erspan ipip mpls pppoe'
		elif [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur"))
			[[ ${COMPREPLY-} != *= ]] || compopt -o nospace
		else
			_bannerprobe_names
		fi
		;;
	esac
}

complete -F _bannerprobe bannerprobe
