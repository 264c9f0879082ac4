// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { deploymentOf } from '../deployment/session.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { EXIT, type Common } from '../terminal/screen.ts'

/** What of the stored data can be damaged. */
export const PARTS = ['key-row', 'block'] as const

interface TamperOptions extends Common {
  readonly what: (typeof PARTS)[number]
}

/** Damages the demo's stored data behind Ampere's back, as somebody with access to the disk could. */
export async function tamper(call: Call<TamperOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const record = settings.demo?.record
  if (!record) {
    const message = 'only demo data can be tampered with, and this folder holds none'
    throw refuse('CONFIGURATION', message, 'npx ampere start --demo')
  }
  const { what } = call.options
  const db = new DatabaseSync(join(folder, 'home', 'ampere.db'))
  try {
    const height = damage(db, record, what)
    call.screen.print({ ok: true, record, what, height }, [
      `Changed one character of the stored ${what} of block ${height}, past every check.`,
      'Try   npx ampere verify --all    (finds it; npx ampere demo reset makes the demo anew)',
    ])
  } finally {
    db.close()
  }
  return EXIT.ok
}

interface StoredBlock {
  readonly key: string
  readonly text: string
  readonly height: number
  readonly entries: { readonly root: string; readonly keys: string } | null
}

/** Changes the first block with entries, or its key row. @returns its height */
function damage(db: DatabaseSync, chain: string, what: TamperOptions['what']): number {
  const block = storedBlocks(db, chain).find(({ entries }) => entries !== null)
  if (!block?.entries) throw new AmpereError('NOT_FOUND', 'the demo has no block with entries')
  if (what === 'block') {
    replace(db, 'blocks', chain, block.key, flip(block.text, 200))
  } else {
    const key = `${block.entries.root}.${block.entries.keys}`
    const row = db
      .prepare("SELECT value FROM rows WHERE tbl = 'wraps' AND part = ? AND key = ?")
      .get(chain, key)
    const old = Buffer.from((row?.['value'] ?? '') as Uint8Array).toString()
    replace(db, 'wraps', chain, key, flip(old, old.indexOf('"wrapped":"') + 20))
  }
  return block.height
}

function storedBlocks(db: DatabaseSync, chain: string): StoredBlock[] {
  const rows = db
    .prepare("SELECT key, value FROM rows WHERE tbl = 'blocks' AND part = ? ORDER BY key")
    .all(chain)
  return rows.map((row) => {
    const text = Buffer.from(row['value'] as Uint8Array).toString()
    const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()
    const { height, entries } = parsed(payload)
    return { key: String(row['key']), text, height, entries }
  })
}

/** @throws AmpereError STORE_CORRUPT for a block that was damaged before */
function parsed(payload: string): Pick<StoredBlock, 'height' | 'entries'> {
  try {
    return JSON.parse(payload) as Pick<StoredBlock, 'height' | 'entries'>
  } catch {
    // Its message is not kept as a cause: it quotes what was stored.
    throw refuse('STORE_CORRUPT', 'a block of the demo is damaged already', 'npx ampere demo reset')
  }
}

function flip(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

function replace(db: DatabaseSync, table: string, chain: string, key: string, text: string): void {
  db.prepare('UPDATE rows SET value = ? WHERE tbl = ? AND part = ? AND key = ?').run(
    Buffer.from(text),
    table,
    chain,
    key,
  )
}
