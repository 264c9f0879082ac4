// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { canonicalBytes, type Json } from '#core/bytes/canonical-json.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseJws, signJws } from '#core/block/jws.ts'
import { AmpereError } from '#core/errors.ts'
import type { Signer } from '#core/ports/keys.ts'
import { buildChange } from '#core/registry/build.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { stateRoot } from '#core/registry/state.ts'
import { placesIn, replaced, type Path } from '#tests/core/places.ts'
import { seededRandom } from '#tests/deployment.ts'
import { apply, brokenRule, enrolment, found, makeMember, START, type Founded } from './members.ts'

let world: Founded
let change: string
let author: Signer

beforeAll(async () => {
  world = await found(['a', 'b', 'c'], seededRandom(41))
  author = world.member('a').root
  const newcomer = await makeMember('new', world.random)
  change = await buildChange(
    { now: () => START + 1000, random: world.random },
    world.link,
    [{ act: 'admit', institution: newcomer.own[0] }, enrolment('a', 'a-2', newcomer.instance)],
    author,
    // Exactly the majority, so that no approval can be spared.
    ['a', 'b'].map((id) => world.member(id).root),
  )
})

/** Another value of the same type: as hard to notice as possible. */
function other(value: Json): Json {
  if (typeof value === 'string') return value.startsWith('1') ? `2${value.slice(1)}` : `1${value.slice(1)}`
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  if (value === null) return { reason: 'retired', suspectFrom: null, height: 0 }
  return isList(value) ? value.slice(1) : { ...value, extra: 1 }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

/** The rule or error code by which a payload is refused when its author signs it; null when it is accepted. */
async function refusal(parent: RegistryLink | null, payload: Json): Promise<string | null> {
  try {
    return await brokenRule(parent, await signJws('ampere-registry+jws', payload, author))
  } catch (error) {
    if (error instanceof AmpereError) return error.code
    throw error
  }
}

/** Places whose change is refused by nothing, even when the author signs it. */
async function freePlaces(
  parent: RegistryLink | null,
  compact: string,
  put: (old: Json) => Json | undefined,
) {
  const { payload } = parseJws(compact, 'ampere-registry+jws')
  const free: string[] = []
  for (const path of placesIn(payload)) {
    // An empty string or list stays what it is.
    const after = replaced(payload, path, put)
    if (toBase64url(canonicalBytes(after)) === toBase64url(canonicalBytes(payload))) continue
    if ((await refusal(parent, after)) === null) free.push(path.join('.'))
  }
  return free
}

describe('a registry block', () => {
  it('is refused after any change of its payload that its author did not sign', async () => {
    for (const [parent, compact] of [
      [null, world.genesis],
      [world.link, change],
    ] as const) {
      const [header, , signature] = compact.split('.')
      const { payload } = parseJws(compact, 'ampere-registry+jws')
      for (const path of placesIn(payload)) {
        const spoiled = toBase64url(canonicalBytes(replaced(payload, path, other)))
        await expect(brokenRule(parent, `${header}.${spoiled}.${signature}`)).rejects.toMatchObject({
          code: expect.stringMatching(/^(SIGNATURE_INVALID|BLOCK_MALFORMED|JWS_MALFORMED)$/),
        })
      }
    }
  })

  it('is refused after any change that its author signs alone, but for its op', async () => {
    // A genesis is pinned by its id, so that its op is the author's to choose; its time is in the state, as that from which founders are members.
    expect(await freePlaces(null, world.genesis, other)).toEqual(['op'])
    // The time of a change mutates to one before its parent's, which is refused.
    expect(await freePlaces(world.link, change, other)).toEqual(['op'])
  })

  it('is refused without any one of its members or items', async () => {
    const leaveOut = () => undefined
    expect(await freePlaces(null, world.genesis, leaveOut)).toEqual([])
    expect(await freePlaces(world.link, change, leaveOut)).toEqual([])
  })

  it('is refused by the rule that the change breaks', async () => {
    const { payload } = parseJws(change, 'ampere-registry+jws')
    const id = stateRoot(world.link.state)
    const cases: readonly (readonly [Path, Json | undefined, string])[] = [
      [['v'], 2, 'BLOCK_MALFORMED'],
      [['type'], 'genesis', 'BLOCK_MALFORMED'],
      [['type'], 'other', 'BLOCK_MALFORMED'],
      [['extra'], 1, 'BLOCK_MALFORMED'],
      [['op'], 'AAAA', 'BLOCK_MALFORMED'],
      [['registry'], id, 'registry'],
      [['height'], 0, 'height'],
      [['height'], 2, 'height'],
      [['height'], Number.MAX_SAFE_INTEGER, 'height'],
      [['prev'], id, 'prev'],
      [['time'], toTimestamp(START - 1), 'time'],
      [['time'], toTimestamp(START + 2 * 86_400_000), 'approval-expired'],
      [['time'], '2026-11-01T08:00:00Z', 'BLOCK_MALFORMED'],
      [['state'], id, 'state-root'],
      [['body', 'changes', 1], undefined, 'approval-action'],
      [['body', 'changes', 0, 'institution', 'name'], 'Other', 'approval-action'],
      [['body', 'approvals'], [], 'majority'],
      [['body', 'changes'], [], 'BLOCK_MALFORMED'],
    ]
    for (const [path, value, expected] of cases) {
      expect(
        await refusal(
          world.link,
          replaced(payload, path, () => value),
        ),
      ).toBe(expected)
    }
    expect(await refusal(null, payload)).toBe('SIGNATURE_INVALID')
  })

  it('is refused on a parent of another height, and once it was added', async () => {
    expect(await brokenRule(await apply(world.link, change), change)).toBe('height')
    const later = { ...world.link, place: { ...world.link.place, height: 1 } }
    expect(await brokenRule(later, change)).toBe('height')
  })

  it('is refused above 128 KiB', async () => {
    const padded = `${change.slice(0, change.indexOf('.'))}.${'A'.repeat(128 * 1024)}.AAAA`
    await expect(brokenRule(world.link, padded)).rejects.toMatchObject({ code: 'JWS_MALFORMED' })
  })
})
