/**
 * `miniflare-vpc completion`: prints a script that has a shell complete commands, flags, and the names of
 * bindings, environments and Workers. The script asks `__complete`; it knows nothing itself.
 */

import { type Command, FINE, defineCommand } from "./command.ts";

const BASH = `# In ~/.bashrc: source <(miniflare-vpc completion bash)
_miniflare_vpc() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == ":files" ]]; then
      compopt -o default 2>/dev/null
    elif [[ -n $line ]]; then
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _miniflare_vpc miniflare-vpc`;

const ZSH = `#compdef miniflare-vpc
# In ~/.zshrc, behind compinit: source <(miniflare-vpc completion zsh)
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

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };

export const completion: Command = defineCommand({
  name: "completion",
  summary: "a script that completes commands, flags and bindings in your shell",
  description: `Prints a script for your shell to read. It completes "miniflare-vpc" as a command of its own (installed with
npm install --global, or with node_modules/.bin in the PATH), not behind npx.`,
  positionals: [{ name: "shell", summary: "bash, zsh or fish", choices: ["bash", "zsh", "fish"] }],
  flags: {},
  examples: [
    { args: "bash", summary: "in ~/.bashrc: source <(miniflare-vpc completion bash)" },
    { args: "zsh", summary: "in ~/.zshrc, behind compinit: source <(miniflare-vpc completion zsh)" },
    { args: "fish", summary: "in ~/.config/fish/config.fish: miniflare-vpc completion fish | source" },
  ],
  exitCodes: { 0: "the script is printed", 2: "the command line can't be understood" },
  async run({ positionals }, terminal) {
    // `choices` lets no other through.
    terminal.print(SCRIPTS[positionals.shell as keyof typeof SCRIPTS]);
    return FINE;
  },
});
