# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bash completion for bannerprobe-inventory(1). bash-completion loads it; this
# file uses functions of bash-completion.

_bannerprobe_inventory() {
	local cur prev words cword split command= word
	local commands='list changes show report clients import diff gone forget check'

	_init_completion -s || return
	for word in "${words[@]:1:cword - 1}"; do
		if [[ " $commands " == *" $word "* ]]; then
			command=$word
			break
		fi
	done
	case $prev in
	-s | --since | -u | --until)
		COMPREPLY=($(compgen -W 'today yesterday 12h' -- "$cur"))
		return
		;;
	-o | --output)
		_filedir html
		return
		;;
	-b | --probes)
		_filedir
		return
		;;
	-r | --recog)
		_filedir -d
		return
		;;
	-n | --net | -p | --port | -P | --product | -O | --owner | -S | --sensor | -g | --gone | --not-seen) return ;;
	esac
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W '$("$1" ${command:-list} --help | _parse_help -)' -- "$cur"))
		[[ ${COMPREPLY-} != *= ]] || compopt -o nospace
	elif [[ $command == import || $command == diff ]]; then
		_filedir
	elif [[ $command == show || $command == forget ]]; then
		# SERVER:PORT in TUNNEL
		if [[ $prev == in ]]; then
			COMPREPLY=($(compgen -W none -- "$cur"))
		elif [[ $prev != "$command" ]]; then
			COMPREPLY=($(compgen -W in -- "$cur"))
		fi
	elif [[ $prev == list ]]; then
		_filedir
	elif [[ -z $command ]]; then
		_filedir
		COMPREPLY+=($(compgen -W "$commands" -- "$cur"))
	fi
}

complete -F _bannerprobe_inventory bannerprobe-inventory
