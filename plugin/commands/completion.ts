/**
 * `miniflare-vpc completion`: prints a script that makes a shell complete commands, flags, and the names of
 * bindings, environments and Workers. The script contains no names: at each Tab it calls
 * `__complete`.
 */

import { type Command, FINE } from "./command.ts";
import { PREFIXED } from "./complete.ts";
import { defineCommand } from "./define-command.ts";

/** Also works in bash 3.2, which macOS has: it can't `source <(…)`, and has no `compopt`. */
const BASH = `# In ~/.bashrc: eval "$(miniflare-vpc completion bash)"
_miniflare_vpc() {
  local line tab=$'\\t'
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      compopt -o default 2>/dev/null
    elif [[ -n $line ]]; then
      COMPREPLY+=("\${line%%"$tab"*}")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
if type compopt &>/dev/null; then
  complete -F _miniflare_vpc miniflare-vpc
else
  complete -o default -F _miniflare_vpc miniflare-vpc
fi`;

const ZSH = `#compdef miniflare-vpc
# In ~/.zshrc, after compinit: source <(miniflare-vpc completion zsh)
_miniflare_vpc() {
  local line meaning
  local -a offers
  for line in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ":files" ]]; then
      _files
      return
    elif [[ -n $line ]]; then
      meaning="\${line#*$'\\t'}"
      offers+=("\${\${line%%$'\\t'*}//:/\\\\:}\${meaning:+:$meaning}")
    fi
  done
  _describe -t words "miniflare-vpc" offers
}
if [[ $funcstack[1] == _miniflare_vpc ]]; then
  _miniflare_vpc "$@"
else
  compdef _miniflare_vpc miniflare-vpc
fi`;

const FISH = `# In ~/.config/fish/config.fish: miniflare-vpc completion fish | source
function __miniflare_vpc_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c miniflare-vpc -f -a '(__miniflare_vpc_complete)'`;

/**
 * PowerShell before 7.3 drops an empty argument, so the word that is being typed gets a "+" in front. If nothing is
 * offered, PowerShell completes file names.
 */
const POWERSHELL = `# In $PROFILE: miniflare-vpc completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName miniflare-vpc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
    foreach ($line in (miniflare-vpc __complete ${PREFIXED} @words "+$wordToComplete" 2>$null)) {
        if ($line -eq ':files') { return }
        $word, $meaning = $line.Split([char]9, 2)
        if (-not $word) { continue }
        if (-not $meaning) { $meaning = $word }
        [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $meaning)
    }
}`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

export const completion: Command = defineCommand({
  name: "completion",
  summary: "print a shell script that completes commands, flags and bindings",
  description: `Prints a script for your shell. It completes what follows "miniflare-vpc", but not what follows "npx".
So install the package with npm install --global, or put node_modules/.bin in the PATH.`,
  positionals: [{ name: "shell", summary: "bash, zsh, fish or powershell", choices: Object.keys(SCRIPTS) }],
  flags: {},
  examples: [
    { args: "bash", summary: 'in ~/.bashrc: eval "$(miniflare-vpc completion bash)"' },
    { args: "zsh", summary: "in ~/.zshrc, after compinit: source <(miniflare-vpc completion zsh)" },
    { args: "fish", summary: "in ~/.config/fish/config.fish: miniflare-vpc completion fish | source" },
    {
      args: "powershell",
      summary: "in $PROFILE: miniflare-vpc completion powershell | Out-String | Invoke-Expression",
    },
  ],
  exitCodes: { 0: "the script is printed", 2: "the command line is invalid" },
  async run({ positionals }, terminal) {
    // Safe, because `choices` allows no other value.
    terminal.print(SCRIPTS[positionals.shell as keyof typeof SCRIPTS]);
    return FINE;
  },
});
