// SPDX-License-Identifier: Apache-2.0
import type { CommandGroup } from '../program/command.ts'
import { CLIENTS } from './clients.ts'
import { CLOUD } from './cloud.ts'
import { BACKUPS } from './backups.ts'
import { DATA } from './data.ts'
import { DEVICES } from './devices.ts'
import { DEPLOYMENT } from './deployment.ts'
import { INSTANCES } from './members/instances.ts'
import { INSTITUTIONS } from './members/institutions.ts'
import { HOMES } from './others/homes.ts'
import { MIRROR } from './others/mirror.ts'
import { MONITORS } from './others/monitors.ts'
import { PROOF } from './proof.ts'
import { RECORDS } from './records.ts'
import { INCIDENTS } from './others/incidents.ts'
import { WITNESSES } from './others/witnesses.ts'

const SHELL: CommandGroup = {
  title: 'Shell',
  commands: [
    {
      name: 'completion',
      summary: 'Print a completion script for bash, zsh or fish',
      args: [{ name: 'shell', about: 'bash, zsh or fish' }],
      examples: [
        { does: 'in ~/.bashrc', run: 'source <(ampere completion bash)' },
        { does: 'for fish', run: 'ampere completion fish > ~/.config/fish/completions/ampere.fish' },
      ],
      json: { ok: 'true', shell: 'its name', script: 'the script' },
      load: async () => (await import('../commands/deployment/completion.ts')).completionOf(CATALOGUE),
    },
  ],
}

/** Every command, in the order of the list. */
export const CATALOGUE: readonly CommandGroup[] = [
  DEPLOYMENT,
  DATA,
  RECORDS,
  DEVICES,
  PROOF,
  MONITORS,
  WITNESSES,
  INSTANCES,
  INSTITUTIONS,
  INCIDENTS,
  CLIENTS,
  HOMES,
  MIRROR,
  CLOUD,
  BACKUPS,
  SHELL,
]
