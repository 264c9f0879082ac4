// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import type { Passphrase } from '#adapters/local/keys/key-file.ts'
import { choosePort } from '../../deployment/port.ts'
import { usage } from '../../program/refuse.ts'
import type { MoveTarget } from './target.ts'

/** A folder of this computer, beside that of the home that is left. @throws CommanderError (usage) */
export function folderTarget(
  from: string,
  given: string,
  passphrase: Passphrase,
  port: number | undefined,
): MoveTarget {
  const to = folderBeside(from, given)
  return {
    name: to,
    folder: to,
    make: async (_registry, taken) => `http://127.0.0.1:${await choosePort(port, taken)}`,
    open: async () => {
      mkdirSync(join(to, 'home'), { recursive: true, mode: 0o700 })
      return openLocal({ folder: join(to, 'home'), passphrase })
    },
    // It is served by whoever starts it.
    serve: async () => {},
    holds: 'or remove that folder',
    next: `npx ampere verify --data ${to} --all, then npx ampere start --data ${to}`,
  }
}

function folderBeside(from: string, given: string): string {
  const to = resolve(given)
  const [way, back] = [relative(from, to), relative(to, from)]
  if (!way.startsWith('..') || !back.startsWith('..'))
    throw usage('--to: a folder beside the data folder is expected, and not one within the other')
  return to
}
