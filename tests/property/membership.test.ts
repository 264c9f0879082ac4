// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { isViolation } from '#core/block/violation.ts'
import type { Signer } from '#core/ports/keys.ts'
import { registryAction, signRegistryApproval, type RegistryChange } from '#core/registry/block.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import {
  draftChange,
  draw,
  enrolment,
  found,
  judge,
  makeMember,
  must,
  seal,
  START,
  type Founded,
  type Member,
} from '#tests/core/registry/members.ts'
import { seededRandom } from '#tests/deployment.ts'

const HOUR = 3_600_000
let world: Founded
let people: Member[]
let other: RegistryLink

beforeAll(async () => {
  world = await found(['a', 'b', 'c'], seededRandom(91), false)
  const outside = await Promise.all(['d', 'e', 'f'].map((id) => makeMember(id, world.random)))
  people = [...['a', 'b', 'c'].map((id) => world.member(id)), ...outside]
  // Another registry whose founders are the same, with the same keys: what is signed for one is no vote in the other.
  other = (await found(['a', 'b', 'c'], seededRandom(91), true)).link
})

/** An approval that was given once, and is tried for ever after. */
interface Vote {
  readonly by: string
  readonly compact: string
  readonly registry: Digest
  readonly after: number
  readonly action: Digest
  readonly expiresMs: number
}

/** What the oracle knows of the registry: plain facts, kept apart from the reducer. */
interface Facts {
  nowMs: number
  after: number
  readonly members: Map<string, { fromMs: number; isRemoved: boolean }>
}

type Step =
  | {
      readonly does: 'vote'
      readonly who: readonly number[]
      readonly what: number
      readonly forHours: number
      readonly isForeign: boolean
    }
  | {
      readonly does: 'apply'
      readonly who: number
      readonly what: number | null
      readonly pick: Pick
      readonly skip: number
    }
  | { readonly does: 'enrol'; readonly who: number }
  | { readonly does: 'wait'; readonly hours: number }
/** Which votes are tried: of each the oldest or the newest, the newest of those that may count, or of those that are only spent. */
type Pick = 'oldest' | 'newest' | 'likely' | 'spent'

const who = fc.integer({ min: 0, max: 5 })
const what = fc.integer({ min: 0, max: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('vote' as const),
      who: fc.uniqueArray(who, { minLength: 2, maxLength: 6 }),
      what: fc.oneof({ weight: 3, arbitrary: what }, { weight: 1, arbitrary: fc.constant(12) }),
      forHours: fc.constantFrom(1, 24, 60, 720, 721),
      isForeign: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('apply' as const),
      who: fc.integer({ min: 0, max: 3 }),
      what: fc.oneof(
        { weight: 4, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: what },
        { weight: 2, arbitrary: fc.constant(12) },
      ),
      pick: fc.constantFrom<Pick>('oldest', 'newest', 'likely', 'likely', 'spent'),
      skip: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('enrol' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('wait' as const), hours: fc.constantFrom(1, 12, 24) }),
  },
)

/** Admissions and removals of everybody, and rules that stay as they are, which can be put in force again and again. */
function changeOf(index: number): RegistryChange {
  if (index === 12)
    return { act: 'rules', rules: must(world.records.find((record) => record.kind === 'rules')) }
  const person = must(people[index % 6])
  return index < 6
    ? { act: 'remove', institution: asInstitutionId(person.id) }
    : { act: 'admit', institution: person.own[0] }
}

async function votesOf(
  link: RegistryLink,
  facts: Facts,
  given: Extract<Step, { does: 'vote' }>,
): Promise<readonly Vote[]> {
  const action = registryAction('change', { changes: [changeOf(given.what)] })
  const registry = given.isForeign ? other.place.registry : link.place.registry
  const expiresMs = facts.nowMs + given.forHours * HOUR
  const terms = { registry, after: facts.after, action, expires: toTimestamp(expiresMs) }
  return Promise.all(
    given.who.map(async (index) => {
      const { id, root } = must(people[index])
      return { by: id, ...terms, expiresMs, compact: await signRegistryApproval(terms, root) }
    }),
  )
}

/** Votes for a change, one of each, that are tried together. */
function picked(
  pool: readonly Vote[],
  change: RegistryChange,
  { pick, skip }: Extract<Step, { does: 'apply' }>,
  { after, members, nowMs }: Facts,
): readonly Vote[] {
  const action = registryAction('change', { changes: [change] })
  const isLikely = ({ by, ...vote }: Vote) => {
    const member = members.get(by)
    const isOpen =
      (pick === 'spent' ? vote.after < after : vote.after === after) &&
      vote.expiresMs >= nowMs &&
      vote.expiresMs <= nowMs + 720 * HOUR
    return isOpen && member?.isRemoved === false && member.fromMs <= nowMs
  }
  const isChosen = pick === 'likely' || pick === 'spent'
  const about = pool.filter((vote) => vote.action === action && (!isChosen || isLikely(vote)))
  const ordered = pick === 'oldest' ? about : about.toReversed()
  return people.flatMap(({ id }) => ordered.find((vote) => vote.by === id) ?? []).filter((_, i) => i !== skip)
}

/** Whether a majority of those who are members now agree to this by votes that count now. */
function isAgreed(
  { members, nowMs, after }: Facts,
  change: RegistryChange,
  votes: readonly Vote[],
  registry: Digest,
) {
  const subject = change.act === 'remove' ? change.institution : null
  const asked = [...members].flatMap(([id, { fromMs, isRemoved }]) =>
    !isRemoved && fromMs <= nowMs && id !== subject ? [id] : [],
  )
  const action = registryAction('change', { changes: [change] })
  const counts = (vote: Vote) =>
    vote.registry === registry &&
    vote.after === after &&
    vote.action === action &&
    vote.expiresMs >= nowMs &&
    vote.expiresMs <= nowMs + 720 * HOUR
  const agreeing = asked.filter((id) => votes.some((vote) => vote.by === id && counts(vote)))
  return agreeing.length * 2 > asked.length
}

/** Takes a change that came into force into the facts. */
function put(facts: Facts, change: RegistryChange, height: number): void {
  facts.after = height
  if (change.act === 'admit')
    facts.members.set(change.institution.id, { fromMs: facts.nowMs + 24 * HOUR, isRemoved: false })
  if (change.act === 'remove') must(facts.members.get(change.institution)).isRemoved = true
}

async function tried(
  link: RegistryLink,
  author: Signer,
  change: RegistryChange,
  votes: readonly Vote[],
  nowMs: number,
) {
  const approvals = votes.map(({ compact }) => compact)
  const draft = { ...draftChange(link, [change], approvals), time: toTimestamp(nowMs) }
  return judge(link, await seal(link, draft, author))
}

it('puts no change of members in force without a majority of those who are members, and none twice by one set of votes', async () => {
  const seen = { inForce: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50 }), async (steps) => {
      let link = world.link
      let voted = 0
      const pool: Vote[] = []
      const spent = new Set<string>()
      const facts: Facts = {
        nowMs: START,
        after: 0,
        members: new Map(['a', 'b', 'c'].map((id) => [id, { fromMs: START, isRemoved: false }])),
      }
      for (const now of steps) {
        if (now.does === 'wait') facts.nowMs += now.hours * HOUR
        if (now.does === 'vote') {
          voted = now.what
          pool.push(...(await votesOf(link, facts, now)))
        }
        if (now.does === 'enrol') {
          const { id, root } = must(people[now.who])
          const change = enrolment(id, `${id}-${link.place.height + 2}`, await draw(world.random))
          const after = await openedOrNull(() => tried(link, root, change, [], facts.nowMs))
          const member = facts.members.get(id)
          expect(after !== null).toBe(
            member !== undefined && !member.isRemoved && member.fromMs <= facts.nowMs,
          )
          if (after) link = after
        }
        if (now.does === 'apply') {
          const change = changeOf(now.what ?? voted)
          const used = picked(pool, change, now, facts)
          const author = must(people[now.who]).root
          const after = await openedOrNull(() => tried(link, author, change, used, facts.nowMs))
          if (!after) {
            seen.refused++
            continue
          }
          seen.inForce++
          expect(isAgreed(facts, change, used, link.place.registry)).toBe(true)
          expect(used.some(({ compact }) => spent.has(compact))).toBe(false)
          for (const { compact } of used) spent.add(compact)
          link = after
          put(facts, change, link.place.height)
        }
      }
    }),
    { numRuns: 60, seed: 107 },
  )
  // The schedules do both, or they would show nothing.
  expect(seen.inForce).toBeGreaterThan(20)
  expect(seen.refused).toBeGreaterThan(100)
})

/** The block that follows; null where a rule forbids it, or a key is not known. */
async function openedOrNull(judging: () => ReturnType<typeof judge>): Promise<RegistryLink | null> {
  try {
    const link = await judging()
    return isViolation(link) ? null : link
  } catch (error) {
    if ((error as { code?: string }).code === 'SIGNATURE_INVALID') return null
    throw error
  }
}
