// SPDX-License-Identifier: Apache-2.0
// Writes the vectors in record/: node tests/vectors/ampere/generate-record.ts
// All keys are Ed25519 and drawn from the seed, so every run gives the same bytes, but for what HPKE sealed: that
// is taken from record/sealed.json. Where the format of what is sealed changes, remove that file first. Vectors
// that have been published are not generated again: a change of format gets a new folder.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Block } from '#core/block/block.ts'
import { isViolation } from '#core/block/violation.ts'
import { parseJws } from '#core/block/jws.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { stateBytes } from '#core/chain/state.ts'
import { control, erase, judge, newEpoch, record, seal } from '#tests/core/chain/small-chain.ts'
import { SEED } from './seeded-bytes.ts'
import { bytesFor, makeCast, type Cast } from './record/cast.ts'
import { homeWith } from './record/home.ts'
import { makeNegatives } from './record/negatives.ts'
import type { Frozen } from './record/parts.ts'
import { tellStory, type Story } from './record/story.ts'

const FOLDER = new URL('record/', import.meta.url)
const SEALED = new URL('sealed.json', FOLDER)

/** What HPKE sealed when the vectors were made. With `mayMake`, what is not there yet is made. */
export function frozenIn(kept: Record<string, string>, mayMake: boolean): Frozen {
  return {
    take: async (name, make) => {
      const known = kept[name] ?? (mayMake ? await make() : undefined)
      if (known === undefined) throw new Error(`nothing was sealed as ${name}`)
      kept[name] = known
      return known
    },
  }
}

/** The frozen bytes as they are kept beside the vectors. */
export function readSealed(): Record<string, string> {
  return existsSync(SEALED) ? (JSON.parse(readFileSync(SEALED, 'utf8')) as Record<string, string>) : {}
}

/** Every file of the folder but the frozen one, as text. */
export async function recordVectors(frozen: Frozen): Promise<Readonly<Record<string, string>>> {
  const cast = await makeCast()
  const story = await tellStory(cast, frozen)
  const { reader, chain } = await homeWith(cast, story)
  const exported = fromUtf8(await exportRecord(reader, chain))
  const lines = exported.split('\n').slice(0, -1)
  const [erased] = await reader.api.erased(chain)
  const head = lines.map((line) => (JSON.parse(line) as { head?: string }).head).find((found) => found !== undefined)
  if (!head || !erased) throw new Error('a head and an erasure statement are expected')
  return {
    'chain.json': json(await chainVectors(cast, story)),
    'statements.json': json([statement('head', head), statement('erased', erased)]),
    'export.ampere': exported,
    'export-rejected.json': json(await makeNegatives(lines, cast)),
  }
}

async function chainVectors(cast: Cast, { links, appends }: Story) {
  const blocks = links.map(({ opened, state }, i) => ({
    type: opened.block.type,
    act: 'act' in opened.block.body ? opened.block.body.act : null,
    block: appends[i]?.block,
    id: opened.id,
    state: opened.block.state,
    canonicalState: fromUtf8(stateBytes(state)),
    approvals: opened.approvals.map(({ jws }) => ({ approval: jws.compact, id: jws.id, kid: jws.kid, payload: jws.payload })),
  }))
  return {
    seeds: cast.seeds,
    registry: cast.registryBlocks,
    chain: links[0]?.opened.chain,
    blocks,
    rejected: await rejectedAfter(cast, links),
  }
}

/** Blocks on the newest one that break a rule each, although their authors signed them. */
async function rejectedAfter(cast: Cast, links: Story['links']) {
  const rules = { history: cast.history, random: bytesFor('rejected') }
  const parent = links.at(-1)
  const { 'hospital-a-1': a, 'hospital-b-1': b } = cast.signers
  if (!parent) throw new Error('the story is empty')
  const rotation = { act: 'rotate' as const, epoch: { ...newEpoch(rules, parent.state), cut: true } }
  const refused = [
    ['epoch', await seal(rules, parent, record(rules, parent, { epoch: 1 }), a)],
    ['right', await seal(rules, parent, record(rules, parent), b)],
    ['threshold', await seal(rules, parent, await control(rules, parent, [b], { hold: false }), a)],
    ['packages', await seal(rules, parent, await control(rules, parent, [], rotation), a)],
    ['hold', await seal(rules, parent, await erase(rules, parent, [cast.signers.device]), a)],
    ['prev', await seal(rules, parent, { ...record(rules, parent), prev: parent.opened.chain as never } as Block, a)],
  ] as const
  for (const [rule, block] of refused) {
    const verdict = await judge(rules, parent, block)
    if (!isViolation(verdict) || verdict.rule !== rule) throw new Error(`not refused by ${rule}`)
  }
  return refused.map(([rule, block]) => ({ rule, block }))
}

function statement(kind: 'head' | 'erased', compact: string) {
  const { id, kid, payload } = parseJws(compact, `ampere-${kind}+jws`)
  return { kind, statement: compact, id, kid, payload }
}

function json(vectors: unknown): string {
  return `${JSON.stringify({ seed: SEED, vectors }, null, 1)}\n`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const kept = readSealed()
  const files = await recordVectors(frozenIn(kept, true))
  writeFileSync(SEALED, `${JSON.stringify(kept, null, 1)}\n`)
  for (const [name, text] of Object.entries(files)) writeFileSync(new URL(name, FOLDER), text)
}
