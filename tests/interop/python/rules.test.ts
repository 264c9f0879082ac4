// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Json } from '#core/bytes/canonical-json.ts'
import { asDigest } from '#core/bytes/ids.ts'
import { parseJws, signJws } from '#core/block/jws.ts'
import { isViolation } from '#core/block/violation.ts'
import { digestOf } from '#core/crypto/hash.ts'
import type { Link } from '#core/chain/state.ts'
import { signRegistryBlock } from '#core/registry/block.ts'
import { documentedRegistryRules, documentedRules } from '#tests/core/chain/rules/documented-rules.ts'
import { CASES } from '#tests/core/chain/rules/cases.ts'
import { makeKit, type Kit } from '#tests/core/chain/rules/kit.ts'
import { mutationsOf, SPECIMENS } from '#tests/core/chain/rules/specimens.ts'
import { judge } from '#tests/core/chain/small-chain.ts'
import { draftChange, enrolment, EXPIRES, found } from '#tests/core/registry/members.ts'
import { seededRandom } from '#tests/deployment.ts'
import { genesisAttempt } from './genesis-attempts.ts'
import { attemptOn, chooser, everyAct, misshapen, registryVerdict, withHistory } from './registry-attempts.ts'
import { renewalOn } from './renewal-attempts.ts'
import {
  describeWithPython,
  foldInPython,
  ofRegistry,
  verdictsInPython,
  type PythonCase,
} from './software.ts'

/** The vectors in a file, which has those of its kind. */
const vectors = (name: string): unknown =>
  (
    JSON.parse(readFileSync(new URL(`../../vectors/ampere/${name}`, import.meta.url), 'utf8')) as {
      readonly vectors: unknown
    }
  ).vectors
interface Vector {
  readonly block: string
  readonly id: string
  readonly state: string
  readonly canonicalState: string
}
interface Frozen {
  readonly registry: readonly string[]
  readonly chain: string
  readonly blocks: readonly Vector[]
  readonly rejected: readonly { readonly rule: string; readonly block: string }[]
}

describeWithPython('the frozen vectors in Python', () => {
  it('fold to the registry that it was, and refuse the same blocks by the same rules', () => {
    const { blocks, rejected } = vectors('registry.json') as Frozen
    const good = blocks.map(({ block }) => block)
    const [folded] = foldInPython([ofRegistry(good)])
    expect(folded?.registry).toEqual(blocks.map(({ id, state }) => ({ id, state })))
    const refused = foldInPython(rejected.map(({ block }) => ofRegistry([...good, block])))
    expect(refused.map(({ rule, height }) => [rule, height])).toEqual(rejected.map(({ rule }) => [rule, 11]))
  })

  it('fold to the renewals that they were, and refuse the same blocks by the same rules', () => {
    const { blocks, rejected } = vectors('renewals.json') as Frozen
    const good = blocks.map(({ block }) => block)
    const [folded] = foldInPython([ofRegistry(good)])
    expect(folded?.registry).toEqual(blocks.map(({ id, state }) => ({ id, state })))
    const refused = foldInPython(rejected.map(({ block }) => ofRegistry([...good, block])))
    expect(refused.map(({ rule, height }) => [rule, height])).toEqual(rejected.map(({ rule }) => [rule, 5]))
  })

  it('fold to the chain that it was, and refuse the same blocks by the same rules', () => {
    const { registry, chain, blocks, rejected } = vectors('record/chain.json') as Frozen
    const good = blocks.map(({ block }) => block)
    const [folded] = foldInPython([{ registry, chain, parent: null, blocks: good }])
    expect(folded?.blocks).toEqual(blocks.map(({ id, canonicalState }) => ({ id, state: canonicalState })))
    const cases = rejected.map(({ block }) => ({ registry, chain, parent: null, blocks: [...good, block] }))
    expect(foldInPython(cases).map(({ rule, height }) => [rule, height])).toEqual(
      rejected.map(({ rule }) => [rule, 11]),
    )
  })

  it('fold to the recovery that it was, and refuse the same blocks by the same rules', () => {
    const { registry, chain, blocks, rejected } = vectors('recovered/chain.json') as Frozen
    const good = blocks.map(({ block }) => block)
    const [folded] = foldInPython([{ registry, chain, parent: null, blocks: good }])
    expect(folded?.blocks).toEqual(blocks.map(({ id, canonicalState }) => ({ id, state: canonicalState })))
    const cases = rejected.map(({ block }) => ({
      registry,
      chain,
      parent: null,
      blocks: [...good.slice(0, 6), block],
    }))
    expect(foldInPython(cases).map(({ rule, height }) => [rule, height])).toEqual(
      rejected.map(({ rule }) => [rule, 6]),
    )
  })
})

describeWithPython('the rules of a chain in Python', () => {
  let kit: Kit
  let registry: readonly string[]
  beforeAll(async () => {
    kit = await makeKit(71)
    registry = (await kit.world.connect('hospital-a').api.registryBlocks(0)).items
  })

  const caseOf = (parent: Link | null, compact: string, chain?: string): PythonCase => ({
    registry,
    chain: chain ?? parent?.opened.chain ?? idOf(compact),
    parent: parent && { block: parent.opened.compact, state: parent.state },
    blocks: [compact],
  })

  it('are each broken by the same blocks', async () => {
    const cases: PythonCase[] = []
    for (const [, , attempt] of CASES) {
      const { parent, compact, chain } = await attempt(kit)
      cases.push(caseOf(parent, compact, chain))
    }
    const named = (rules: readonly (string | null)[]) => CASES.map(([, how], i) => `${how}: ${rules[i]}`)
    expect(named(verdictsInPython(cases))).toEqual(named(CASES.map(([rule]) => rule)))
    expect(new Set(CASES.map(([rule]) => rule))).toEqual(new Set(documentedRules()))
  })

  it.each(Object.keys(SPECIMENS))('say the same of a %s with another value at any place', async (name) => {
    const specimen = await SPECIMENS[name]?.(kit)
    if (!specimen) throw new Error('no such specimen')
    const { parent, author } = specimen
    const places: string[] = []
    const here: (string | null)[] = []
    const cases: PythonCase[] = []
    const { payload: good } = parseJws(specimen.compact, 'ampere-block+jws')
    const other = misshapen(good).map((payload) => ['another form', payload] as const)
    for (const [place, payload] of [...mutationsOf(kit, specimen), ...other]) {
      const compact = await signJws('ampere-block+jws', payload, author)
      const verdict = await judge(kit, parent, compact, parent?.opened.chain)
      places.push(place)
      here.push(isViolation(verdict) ? verdict.rule : null)
      cases.push(caseOf(parent, compact))
    }
    const named = (rules: readonly (string | null)[]) => places.map((place, i) => `${place}: ${rules[i]}`)
    expect(named(verdictsInPython(cases))).toEqual(named(here))
    expect(here.length).toBeGreaterThan(200)
  })
})

describeWithPython('the rules of the registry in Python', () => {
  it('say the same of blocks that may follow a registry or may not', async () => {
    const world = await found(['a', 'b', 'c'], seededRandom(81), false)
    const history = await withHistory(world)
    const { blocks, link, expiring } = history
    const choice = chooser(world)
    const attempts: string[] = []
    for (let i = 0; i < 300; i++) attempts.push(await attemptOn(world, history, choice))
    for (let i = 0; i < 300; i++) attempts.push(await renewalOn(world, link, choice, expiring))
    const here = await Promise.all(attempts.map((block) => registryVerdict(link, block)))
    expect(verdictsInPython(attempts.map((block) => ofRegistry([...blocks, block])))).toEqual(here)
    const genesis = genesisRules()
    const missed = documentedRegistryRules().filter((rule) => !here.includes(rule) && !genesis.includes(rule))
    expect(missed).toEqual(['first-block'])
    expect(here.slice(0, 300).filter((rule) => rule === null).length).toBeGreaterThan(10)
    expect(here.slice(300).filter((rule) => rule === null).length).toBeGreaterThan(10)
  })

  it('say the same of a block with a value of another form at any place', async () => {
    const world = await found(['a', 'b', 'c'], seededRandom(83))
    const { root } = world.member('a')
    const enrol = enrolment('a', 'a-3', world.member('b').instance)
    const revoked = { reason: 'retired', suspectFrom: EXPIRES, height: 1 } as const
    const late = draftChange(world.link, [{ ...enrol, key: { ...enrol.key, revoked } }])
    const blocks = [await everyAct(world), await signRegistryBlock(late, root)]
    const payloads = blocks.map((block) => parseJws(block, 'ampere-registry+jws').payload)
    const sign = (payload: Json) => signJws('ampere-registry+jws', payload, root)
    const attempts = [...blocks, ...(await Promise.all(payloads.flatMap(misshapen).map(sign)))]
    const here = await Promise.all(attempts.map((attempt) => registryVerdict(world.link, attempt)))
    const cases = attempts.map((attempt) => ofRegistry([world.genesis, attempt]))
    expect(verdictsInPython(cases)).toEqual(here)
    expect(here.slice(0, 2)).toEqual([null, 'kid-owner'])
    expect(here.filter((verdict) => verdict === 'BLOCK_MALFORMED').length).toBeGreaterThan(500)
  })

  it('say the same of a genesis with a value of another form at any place', async () => {
    const world = await found(['a'], seededRandom(84))
    const { payload } = parseJws(world.genesis, 'ampere-registry+jws')
    const sign = (other: Json) => signJws('ampere-registry+jws', other, world.member('a').root)
    const attempts = await Promise.all(misshapen(payload).map(sign))
    const here = await Promise.all(attempts.map((attempt) => registryVerdict(null, attempt)))
    expect(verdictsInPython(attempts.map((attempt) => ofRegistry([attempt])))).toEqual(here)
    expect(here.filter((verdict) => verdict === 'BLOCK_MALFORMED').length).toBeGreaterThan(300)
  })

  it('say the same of a genesis with something wrong in it or nothing', async () => {
    const world = await found(['a', 'b', 'c'], seededRandom(82))
    const choice = chooser(world)
    const attempts: string[] = []
    for (let i = 0; i < 150; i++) attempts.push(await genesisAttempt(world, choice))
    const here = await Promise.all(attempts.map((block) => registryVerdict(null, block)))
    expect(verdictsInPython(attempts.map((block) => ofRegistry([block])))).toEqual(here)
    expect(genesisRules().filter((rule) => !here.includes(rule))).toEqual([])
    expect(here.filter((rule) => rule === null).length).toBeGreaterThan(5)
  })
})

/** The rules that only a genesis can break. */
function genesisRules(): readonly string[] {
  const keys = ['kid', 'revoked', 'owner', 'institution-key', 'sealing-key', 'instance-key', 'deployment-key']
  return ['record-twice', ...keys, 'status', 'founders']
}

function idOf(compact: string): string {
  return asDigest(digestOf(utf8(compact.slice(0, compact.lastIndexOf('.')))))
}
