// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { institutionFolder } from '../../../deployment/files.ts'
import type { Settings } from '../../../deployment/settings.ts'
import { BRIDGE_DAMAGED, HOME_DAMAGED } from '../../../program/damaged.ts'
import { counted, size } from '../../../terminal/words.ts'
import { note, ok, wrong, type Check } from './check.ts'
import { mayWrite } from './machine.ts'

/** Some seconds of reading. A larger file is opened all the same, and audits read what is in it. */
const MAX_CHECKED_BYTES = 2 * 1024 ** 3

/** Whether SQLite can read the databases of the folder from end to end. What is in them, audits judge. */
export function checkDataFiles(folder: string, settings: Settings): readonly Check[] {
  const bridges = settings.institutions.map((id) => join(institutionFolder(folder, id), 'bridge'))
  const files = [join(folder, 'home'), ...bridges]
    .map((place) => join(place, 'ampere.db'))
    // SQLite makes files beside a database even to read it.
    .filter((file) => existsSync(file) && mayWrite(dirname(file)))
  const large = files.filter((file) => statSync(file).size > MAX_CHECKED_BYTES)
  const damaged = files.filter((file) => !large.includes(file) && isDamaged(file))
  return [
    ...damaged.map((file) =>
      wrong(
        'Data files',
        `${file} is damaged`,
        bridges.includes(dirname(file)) ? BRIDGE_DAMAGED : HOME_DAMAGED,
      ),
    ),
    ...large.map((file) =>
      note('Data files', `${file} has ${size(statSync(file).size)}: not read from end to end`),
    ),
    ...(damaged.length + large.length === 0 && files.length > 0
      ? [ok('Data files', `${counted(files.length, 'database')} can be read from end to end`)]
      : []),
  ]
}

function isDamaged(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
    try {
      return database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok'
    } finally {
      database.close()
    }
  } catch (error) {
    // sqlite.org/rescode.html: CORRUPT, NOTADB. One that is busy, or may not be read, others speak of.
    const { errcode = 0 } = error as { errcode?: number }
    return [11, 26].includes(errcode & 0xff)
  }
}
