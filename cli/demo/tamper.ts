// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { dataFolder, readSettings } from '../deployment/settings.ts'
import { EXIT, print, type Common } from '../terminal/output.ts'

/** Damages the demo's stored data behind Ampere's back, as somebody with access to the disk could. */
export async function tamper(options: Common & { what?: string }): Promise<number> {
  const folder = dataFolder(options.data)
  const settings = readSettings(folder)
  if (!settings?.demo)
    throw new AmpereError('CONFIGURATION', 'only demo data can be tampered with, and there are none here')
  const what = options.what ?? 'key-row'
  const db = new DatabaseSync(join(folder, 'home', 'ampere.db'))
  try {
    const height = damage(db, settings.demo.record, what)
    print(options, { ok: true, what, height }, [
      `Changed one character of the stored ${what} of block ${height}, past every check.`,
      'Try   npx ampere verify --all',
    ])
  } finally {
    db.close()
  }
  return EXIT.ok
}

function damage(db: DatabaseSync, chain: string, what: string): number {
  const rows = db
    .prepare("SELECT key, value FROM rows WHERE tbl = 'blocks' AND part = ? ORDER BY key")
    .all(chain)
  for (const row of rows) {
    const text = Buffer.from(row['value'] as Uint8Array).toString()
    const payload = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as {
      height: number
      entries: { root: string; keys: string } | null
    }
    if (!payload.entries) continue
    if (what === 'block') {
      const changed = text.slice(0, 200) + (text[200] === 'A' ? 'B' : 'A') + text.slice(201)
      db.prepare("UPDATE rows SET value = ? WHERE tbl = 'blocks' AND part = ? AND key = ?").run(
        Buffer.from(changed),
        chain,
        String(row['key']),
      )
    } else {
      const key = `${payload.entries.root}.${payload.entries.keys}`
      const stored = db
        .prepare("SELECT value FROM rows WHERE tbl = 'wraps' AND part = ? AND key = ?")
        .get(chain, key)
      const old = Buffer.from(stored?.['value'] as Uint8Array).toString()
      const at = old.indexOf('"wrapped":"') + 20
      const changed = old.slice(0, at) + (old[at] === 'A' ? 'B' : 'A') + old.slice(at + 1)
      db.prepare("UPDATE rows SET value = ? WHERE tbl = 'wraps' AND part = ? AND key = ?").run(
        Buffer.from(changed),
        chain,
        key,
      )
    }
    return payload.height
  }
  throw new AmpereError('NOT_FOUND', 'the demo has no block with entries')
}
