// SPDX-License-Identifier: Apache-2.0
import { logIdOf, logOriginOf } from '#core/api/log.ts'
import type { LookupAnswer } from '#core/api/lookup.ts'
import { leafLabel } from '#core/block/leaf.ts'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import type { Monitors } from '#core/client/client.ts'
import type { NotComplete } from '#core/client/complete/monitor-words.ts'
import { makeExport } from '#core/client/export/write-export.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { monitoredWorld, type MonitoredWorld } from '#tests/core/client/complete/monitored-world.ts'
import { cosignedBy } from '#tests/core/client/complete/cosigned-by.ts'
import { ofOtherTree } from '#tests/core/client/complete/twists.ts'
import { ORIGIN } from '#tests/deployment.ts'

/** The monitors that a verifier of these files pins: both must agree. */
export const PINNED: Monitors = { origins: ['http://m1.test', 'http://m2.test'], need: 2 }

/** A file that says something else, as the accepted one without some of its lines and with others at its end. */
export interface Spoilt {
  readonly name: string
  readonly why: NotComplete | null
  /** Lines of the accepted file that are left out, from 1. */
  readonly without: readonly number[]
  readonly with: readonly string[]
  readonly file: Uint8Array
}

/** An export that is complete by two monitors, the same spoilt, and what verifiers pin. */
export interface LookupExport {
  readonly file: Uint8Array
  /** The same, with answers of monitors that have the next block. */
  readonly withheld: Uint8Array
  readonly spoilt: readonly Spoilt[]
  readonly registry: Digest
  /** In the format of c2sp.org/tlog-policy. */
  readonly policy: string
  readonly monitors: Monitors
  /** When a witness last saw the tree that the answers in `file` speak of, in ms since 1970. */
  readonly seenMs: number
}

type Answers = readonly (readonly [origin: string, answer: LookupAnswer])[]

/** A record of heights 0 to 3 that monitors know, and whose block 4 comes after its export. */
export async function lookupRecord(): Promise<LookupExport> {
  const made = await monitoredWorld()
  const reader = made.reader(PINNED)
  const labelKey = (await reader.keyring(await reader.replica(made.record))).labelKey
  if (!labelKey) throw new Error('a label key is expected')
  const ask = (height: number) => answersOf(made, toBase64url(leafLabel(labelKey, made.record, height)))
  await made.append('one')
  await made.settle()
  const stale = await ask(4)
  made.clock.now += 60_000
  await made.append('two')
  await made.settle()
  const { bytes: file } = await makeExport(reader, made.record)
  const [now, other] = [await ask(4), await ask(9)]
  await made.append('three')
  await made.settle()
  const present = await ask(4)
  const later = Math.floor(made.clock.now / 1000) + 60
  const spoil = spoiler(fromUtf8(file).trimEnd().split('\n'), toBase64url(labelKey))
  const strange = toBase64url(labelKey.map((byte) => byte ^ 1))
  const spoilt = [
    spoil('withheld', 'withheld', present),
    spoil('withheld-by-one', 'withheld', [...present.slice(0, 1), ...now.slice(1)]),
    spoil('present-unproved', 'too-few', changed(present, () => ({ found: null }))),
    spoil('present-other-leaf', 'too-few', changed(present, otherLeaf)),
    spoil('absent-with-proof', 'too-few', changed(now, () => ({ found: present[0]?.[1].found ?? null }))),
    spoil('no-lookup', 'no-lookup', []),
    spoil('one-lookup', 'too-few', now.slice(0, 1)),
    spoil('label-key', 'no-label-key', now, strange),
    spoil('no-label-key', 'no-label-key', now, null),
    spoil('other-label', 'too-few', other),
    spoil('wrong-key', 'too-few', now.map(([origin], i) => [origin, now[1 - i]?.[1] ?? no()])),
    spoil('stale', 'too-few', stale),
    spoil('other-tree', 'too-few', now.map(([origin, answer], i) => [origin, { ...answer, checkpoint: stale[i]?.[1].checkpoint ?? '' }])),
    spoil('not-cosigned', 'too-few', changed(now, without(/— w\d[^\n]*\n/g))),
    spoil('not-signed-by-the-log', 'too-few', changed(now, without(/— (?!w\d)[^\n]*\n/g))),
    spoil('later-by-one-key', null, await cosigned(now, ['w1-0'], later)),
    spoil('later-by-one-witness', null, await cosigned(now, ['w1-0', 'w1-1'], later)),
    spoil('ahead-of-all-clocks', 'too-few', await cosigned(now, ['w1-0', 'w1-1', 'w2-0', 'w2-1'], later + 86_400)),
    spoil('forked', 'forked', await firstForked(made, now)),
    spoil('withheld-and-forked', 'withheld', [...(await firstForked(made, now)).slice(0, 1), ...present.slice(1)]),
    spoil('no-answer', 'too-few', changed(now, () => ({ lookup: 'nonsense' }))),
  ]
  const [withheld] = spoilt
  return {
    file,
    withheld: withheld?.file ?? no(),
    spoilt,
    registry: made.world.registryId,
    policy: formatPolicy(made.policy),
    monitors: PINNED,
    seenMs: Math.floor(made.clock.now / 1000) * 1000,
  }
}

async function answersOf({ reader }: MonitoredWorld, label: string): Promise<Answers> {
  const { fetch } = reader().ports
  const ask = async (origin: string) => {
    const url = `${origin}/v1/lookups/${logIdOf(logOriginOf(ORIGIN))}/${label}`
    return [origin, (await (await fetch(new Request(url))).json()) as LookupAnswer] as const
  }
  return Promise.all(PINNED.origins.map(ask))
}

function changed(answers: Answers, change: (answer: LookupAnswer) => Partial<LookupAnswer>): Answers {
  return answers.map(([origin, answer]) => [origin, { ...answer, ...change(answer) }])
}

function without(lines: RegExp): (answer: LookupAnswer) => Partial<LookupAnswer> {
  return ({ checkpoint }) => ({ checkpoint: checkpoint.replace(lines, '') })
}

/** The answers with cosignatures of another time beside those that are there; of several by one key the latest counts. */
async function cosigned(answers: Answers, names: readonly string[], seconds: number): Promise<Answers> {
  const changing = answers.map(async ([origin, answer]) => {
    const checkpoint = await cosignedBy(answer.checkpoint, names, seconds)
    return [origin, { ...answer, checkpoint }] as const
  })
  return Promise.all(changing)
}

/** The answers, the first one of another tree of the same size. */
async function firstForked(made: MonitoredWorld, answers: Answers): Promise<Answers> {
  const [origin, answer] = answers[0] ?? no()
  return [[origin, await ofOtherTree(made, 0, answer)], ...answers.slice(1)]
}

function otherLeaf({ found }: LookupAnswer): Partial<LookupAnswer> {
  return { found: found && { ...found, hash: toBase64url(new Uint8Array(32)) as Digest } }
}

/** Puts other answers in the place of those of a file. */
function spoiler(lines: readonly string[], labelKey: string) {
  const kinds = lines.map((line) => Object.keys(JSON.parse(line) as object))
  const left = kinds.flatMap((kind, i) => (kind.includes('lookup') || kind.includes('labelKey') ? [i + 1] : []))
  return (name: string, why: NotComplete | null, answers: Answers, key: string | null = labelKey): Spoilt => {
    const added = new Set(key === null ? [] : [canonicalize({ labelKey: key })])
    for (const [of, { lookup, checkpoint, found }] of answers) {
      const line = canonicalize({ checkpoint })
      if (!lines.includes(line)) added.add(line)
      added.add(canonicalize({ lookup, of, under: digestOf(utf8(checkpoint)), found }))
    }
    const spoilt = { name, why, without: left, with: [...added] }
    return { ...spoilt, file: spoiltFile(lines, spoilt) }
  }
}

/** The file of a vector. */
export function spoiltFile(
  lines: readonly string[],
  spoilt: Pick<Spoilt, 'without' | 'with'>,
): Uint8Array {
  const kept = lines.filter((_, i) => !spoilt.without.includes(i + 1))
  return utf8([...kept, ...spoilt.with].map((line) => `${line}\n`).join(''))
}

function no(): never {
  throw new Error('an answer is expected')
}
