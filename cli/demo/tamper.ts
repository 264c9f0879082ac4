// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { deploymentOf } from '../deployment/deployment-of.ts'
import type { Call } from '../program/command.ts'
import { refuse } from '../program/refuse.ts'
import { EXIT, type Common } from '../terminal/screen.ts'

/** What of the stored data can be damaged. */
export const PARTS = ['key-row', 'block', 'log'] as const

const AFTERWARDS = 'Try   npx ampere verify --all    (finds it; npx ampere demo reset makes the demo anew)'

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
    if (what === 'log') {
      const where = damageLog(db)
      call.screen.print({ ok: true, record, what, where, height: null }, [
        `Changed one bit of ${where} of the log, past every check.`,
        AFTERWARDS,
      ])
      return EXIT.ok
    }
    const height = damage(db, record, what)
    call.screen.print({ ok: true, record, what, height }, [
      `Changed one character of the stored ${what} of block ${height}, past every check.`,
      AFTERWARDS,
    ])
  } finally {
    db.close()
  }
  return EXIT.ok
}

/** Changes the entry bundle of the newest tree that has the log's first entries. @returns its path */
function damageLog(db: DatabaseSync): string {
  const names = db
    .prepare("SELECT name FROM objects WHERE store = 'log' AND name LIKE 'tile/entries/000%'")
    .all()
    .map((row) => String(row['name']))
  const [name] = names.toSorted((a, b) => widthOf(b) - widthOf(a))
  if (name === undefined) throw new AmpereError('NOT_FOUND', 'the demo has no log')
  const select = db.prepare("SELECT bytes FROM objects WHERE store = 'log' AND name = ?")
  const bytes = Uint8Array.from((select.get(name)?.['bytes'] ?? []) as Uint8Array)
  bytes[40] = (bytes[40] ?? 0) ^ 1
  db.prepare("UPDATE objects SET bytes = ? WHERE store = 'log' AND name = ?").run(bytes, name)
  return name
}

/** Entries of a bundle, by its path: a full one has the most. */
function widthOf(path: string): number {
  return Number(/\.p\/(\d+)$/.exec(path)?.[1] ?? Number.POSITIVE_INFINITY)
}

interface StoredBlock {
  readonly key: string
  readonly text: string
  readonly height: number
  readonly entries: { readonly root: string; readonly keys: string } | null
}

/** Changes the first block with entries, or its key row. @returns its height */
function damage(db: DatabaseSync, chain: string, what: Exclude<TamperOptions['what'], 'log'>): number {
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
