// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What lies at the top of every package beside the bundle: what the host and Node are told. */
const TOP = fileURLToPath(new URL('../../../infra/azure/package/', import.meta.url))

/** The files of a role's package: its bundle, what the host is told, and what the home is. */
export function packageFiles(built: string, role: string, config: string): Record<string, Uint8Array> {
  return {
    ...filesIn(TOP),
    ...filesIn(join(built, role)),
    'ampere.json': Buffer.from(config),
  }
}

function filesIn(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder).filter((name) => name !== 'ampere.json')
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]))
}
