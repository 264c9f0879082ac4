// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { FiledFinding } from '#core/bridge/serve/projection.ts'
import { AmpereError } from '#core/errors.ts'
import { EXIT, print, say, type Common } from '../output.ts'
import { dataFolder, readSettings } from '../settings.ts'
import { isRunning } from '../world.ts'
import { knownChains, withSession, type ActingOptions } from './session.ts'

/** Files a Bundle or NDJSON file as one of this machine's institutions. */
export async function importFile(file: string, options: ActingOptions): Promise<number> {
  const bytes = readFileSync(file)
  const format = /\.ndjson$/i.test(file) ? ('fhir+ndjson' as const) : ('fhir+json' as const)
  return withSession(options, async (session) => {
    say(options, 'Reading, checking, sealing ...')
    const report = await session.open.bridge.import(bytes, format)
    const count = (outcome: string) => report.filed.filter((item) => item.outcome === outcome).length
    const filed = count('created') + count('updated')
    const total = report.filed.length + report.quarantined.length
    const position = format === 'fhir+ndjson' ? 'line' : 'entry'
    const quarantined = report.quarantined.map((item) => ({
      [position]: item.position,
      code: item.code,
      why: item.issues[0]?.diagnostics ?? '',
    }))
    print(
      options,
      {
        ok: quarantined.length === 0,
        filed,
        unchanged: count('unchanged'),
        findings: report.findings,
        quarantined,
      },
      [
        `Filed ${filed} of ${total}; ${count('unchanged')} were there already. New findings: ${report.findings}. In quarantine: ${quarantined.length}`,
        ...report.quarantined
          .slice(0, 20)
          .map(
            (item) =>
              `  ${position} ${item.position}   ${item.issues[0]?.expression ?? ''} ${item.issues[0]?.diagnostics ?? ''}`,
          ),
        ...(quarantined.length > 0
          ? ['  Next: correct them and import the file again; what was filed is skipped.']
          : []),
      ],
    )
    return quarantined.length === 0 ? EXIT.ok : EXIT.failed
  })
}

/** Lists what does not fit in the records: about the data, never about treatment. */
export async function findings(options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const items: FiledFinding[] = []
    for (const { id } of await knownChains(session)) {
      const { projection } = await session.open.bridge.record(id)
      items.push(...projection.findings)
    }
    print(
      options,
      { items },
      items.flatMap((finding) => [
        `${String(finding['severity']).padEnd(6)} ${String(finding['rule']).padEnd(5)} ${String(finding['title'])}`,
        `             ${String(finding['explanation'])}`,
      ]),
    )
    return EXIT.ok
  })
}

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

/** Says what this machine and this folder are like, and what to do about it. */
export async function doctor(options: Common): Promise<number> {
  const folder = dataFolder(options.data)
  const settings = readSettings(folder)
  const running = settings ? await isRunning(settings) : false
  print(
    options,
    {
      node: process.version,
      folder,
      deployment: settings?.deployment ?? null,
      origin: settings?.origin ?? null,
      running,
    },
    [
      `Node      ${process.version}`,
      `Data      ${folder}${settings ? '' : ' (empty; npx ampere start --demo fills it)'}`,
      ...(settings
        ? [`Serving   ${running ? settings.origin : 'no (npm start)'}`, `Registry  ${settings.registry}`]
        : []),
    ],
  )
  return EXIT.ok
}
