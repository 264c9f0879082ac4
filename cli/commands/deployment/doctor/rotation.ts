// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { loadRotation, type RotationRow } from '#core/bridge/rotation/row.ts'
import { isAmpereError } from '#core/errors.ts'
import { institutionFolder } from '../../../deployment/files.ts'
import type { Settings } from '../../../deployment/settings.ts'
import { counted } from '../../../terminal/words.ts'
import { note, ok, wrong, type Check } from './check.ts'
import { mayWrite } from './machine.ts'

/** How far giving records new keys has come, as each institution's table says it; which records those are is sealed. Opens no key. */
export async function checkRotation(
  folder: string,
  { institutions }: Pick<Settings, 'institutions'>,
): Promise<readonly Check[]> {
  const checks: Check[] = []
  for (const id of institutions) {
    const bridge = join(institutionFolder(folder, id), 'bridge')
    // SQLite makes files beside the database even to read it.
    if (!existsSync(join(bridge, 'ampere.db')) || !mayWrite(bridge)) continue
    const row = await rowIn(bridge)
    if (row) checks.push(checkOf(id, row))
  }
  return checks
}

/** Null where it cannot be read; what is wrong with the files, another check says. */
async function rowIn(bridge: string): Promise<RotationRow | null> {
  try {
    const platform = openLocal({ folder: bridge, passphrase: null, beside: true, readOnly: true })
    try {
      const { row, version } = await loadRotation(platform.table('bridge'))
      return version === null ? null : row
    } finally {
      await platform.close()
    }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return null
  }
}

function checkOf(id: string, { paused, open, endedMs, looked, rotated }: RotationRow): Check {
  const next = `npx ampere rotation status --as ${id}`
  if (paused) return note('Rotation', `${id}: paused`, `npx ampere rotation run --as ${id}`)
  if (open > 0)
    return wrong('Rotation', `${id}: ${counted(open, 'record')} could not be given all new keys`, next)
  const round = `${counted(looked, 'record')} looked at, ${counted(rotated, 'chain')} given new keys`
  if (endedMs === null) return note('Rotation', `${id}: goes on; ${round} so far`, next)
  return ok('Rotation', `${id}: ${round} in the last round`)
}
