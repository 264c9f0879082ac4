// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What lies at the top of every package beside the bundle: what the host and Node are told. */
const TOP = fileURLToPath(new URL('../../../infra/azure/package/', import.meta.url))

/** The files of a role's package: its bundle, what the host is told, and what the home is. */
export function packageFiles(
  bundle: Readonly<Record<string, Uint8Array>>,
  config: string,
): Record<string, Uint8Array> {
  return {
    ...filesIn(TOP),
    ...bundle,
    'ampere.json': Buffer.from(config),
  }
}

/** All files below a folder, by their names in a package, but for what the home is. */
export function filesIn(folder: string): Record<string, Uint8Array> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  // Names in a package have slashes, wherever it is made.
  const names = files.map(({ parentPath, name }) =>
    relative(folder, join(parentPath, name)).split(sep).join('/'),
  )
  return Object.fromEntries(
    names
      .filter((name) => name !== 'ampere.json')
      .toSorted()
      .map((name) => [name, readFileSync(join(folder, name))]),
  )
}
