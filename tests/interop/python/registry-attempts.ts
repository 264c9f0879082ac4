// SPDX-License-Identifier: Apache-2.0
import { canonicalize, type Json } from '#core/bytes/canonical-json.ts'
import { asDeploymentId, asInstitutionId, type Kid } from '#core/bytes/ids.ts'
import { placesIn, replaced } from '#tests/core/places.ts'
import { signRegistryBlock, type RegistryBlock, type RegistryChange } from '#core/registry/block.ts'
import { keyRecord } from '#core/registry/build.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import type { Signer } from '#core/ports/keys.ts'
import {
  apply,
  approve,
  brokenRule,
  deploying,
  draftChange,
  draw,
  enrolment,
  EXPIRES,
  expires,
  makeMember,
  must,
  seal,
  type ApprovalTerms,
  type Founded,
  type Member,
} from '#tests/core/registry/members.ts'
import { refusalOf } from './software.ts'

const institution = (id: string) => ({ institution: asInstitutionId(id) })
/** Which rule of the registry a block breaks here, or which code refuses it; null where it is taken. */
export async function registryVerdict(parent: RegistryLink | null, block: string): Promise<string | null> {
  try {
    return await brokenRule(parent, block)
  } catch (error) {
    return refusalOf(error).code
  }
}

/** Chooses as the bytes that it draws say, so that a seed gives the same attempts again. */
export interface Chooser {
  readonly one: <T>(list: readonly T[]) => T
  readonly happens: (percent: number) => boolean
}

export function chooser({ random }: Pick<Founded, 'random'>): Chooser {
  const below = (limit: number) => ((random(1)[0] ?? 0) * 256 + (random(1)[0] ?? 0)) % limit
  return {
    one: <T>(list: readonly T[]) => list[below(list.length)] as T,
    happens: (percent) => below(100) < percent,
  }
}

/** A registry of three with some history: c is removed again, an instance of a suspended, one of b replaced, and one of b expires; another institution waits. */
export async function withHistory(
  world: Founded,
): Promise<{ blocks: string[]; link: RegistryLink; waiting: Member; expiring: Signer }> {
  const expiring = await draw(world.random)
  const [a, b] = [world.member('a'), world.member('b')]
  const waiting = await makeMember('w', world.random)
  const steps: readonly (readonly [Signer, RegistryChange[]])[] = [
    [a.root, [{ act: 'remove', institution: asInstitutionId('c') }]],
    [b.root, [{ act: 'admit', institution: waiting.own[0] }]],
    [a.root, [{ act: 'revoke', kid: a.instance.kid, reason: 'suspended', suspectFrom: null }]],
    [
      b.root,
      [
        enrolment('b', 'b-1', await draw(world.random)),
        deploying('b', 'home-b', 'http://b.test', await draw(world.random)),
        expires(enrolment('b', 'b-2', expiring), '2026-12-01T08:00:00.000Z'),
      ],
    ],
  ]
  const blocks = [world.genesis]
  let { link } = world
  for (const [author, changes] of steps) {
    const approvals = [approve(link, changes, a.root), approve(link, changes, b.root)]
    const block = await seal(link, draftChange(link, changes, await Promise.all(approvals)), author)
    link = await apply(link, block)
    blocks.push(block)
  }
  return { blocks, link, waiting, expiring }
}

/** A change that may be right, or wrong in one of the ways that a rule is about. */
async function someChange(world: Founded, by: string, { one }: Chooser): Promise<RegistryChange> {
  const [fresh, newcomer] = [await draw(world.random), await makeMember('new', world.random)]
  const [record] = newcomer.own
  const members = ['a', 'b', 'c'].map((id) => world.member(id))
  const admit = (given: Partial<typeof record>) => ({
    act: 'admit' as const,
    institution: { ...record, ...given },
  })
  const enrolled = enrolment(
    one([by, by, by, 'a', 'b']),
    one(['a-1', 'b-1', 'n-1']),
    one([fresh, fresh, must(members[1]).instance]),
  )
  const until = one(['2026-12-31T08:00:00.000Z', '2028-01-01T08:00:00.000Z', '2026-10-01T08:00:00.000Z'])
  const enrol = one([enrolled, enrolled, expires(enrolled, until)])
  const deploy = deploying(
    one([by, by, by, 'a', 'b']),
    one(['home-1', 'home-b', 'home-n']),
    one(['http://home.test', 'http://b.test', 'http://n.test']),
    one([fresh, fresh, world.head]),
  )
  const owner = institution(one([by, by, by, 'a', 'b']))
  const root = keyRecord(
    one([fresh, fresh, must(members[0]).root]).publicKey,
    one(['root', 'root', 'recovery']),
    owner,
  )
  const revoke = (kid: Kid) => ({
    act: 'revoke' as const,
    kid,
    reason: one(['retired', 'suspended', 'compromised'] as const),
    suspectFrom: one([null, EXPIRES]),
  })
  const reinstate = (kid: Kid) => ({ act: 'reinstate' as const, kid })
  return one<RegistryChange>([
    admit({}),
    admit({}),
    revoke(world.member(by).instance.kid),
    admit({ root: must(members[1]).root.publicKey }),
    admit({ recovery: record.root }),
    admit({ sealing: { ...record.sealing, kid: world.link.place.id } }),
    admit({ status: 'removed' }),
    { act: 'admit', institution: must(members[1]).own[0] },
    { act: 'remove', institution: asInstitutionId(one(['a', 'b', 'c', 'w', 'none'])) },
    { act: 'replace-root', ...institution(one([by, by, by, 'a', 'b'])), root },
    enrol,
    { ...enrol, instance: { ...enrol.instance, status: 'revoked' } },
    { ...enrol, key: { ...enrol.key, kid: fresh.kid, jwk: world.head.publicKey } },
    ...members.flatMap(({ root: key, recovery, instance }) =>
      [key, recovery, instance].map(({ kid }) => revoke(kid)),
    ),
    reinstate(must(members[0]).instance.kid),
    reinstate(one([world.head.kid, fresh.kid, must(members[1]).instance.kid])),
    revoke(world.head.kid),
    revoke(fresh.kid),
    deploy,
    { ...deploy, key: { ...deploy.key, use: 'sign' } },
    {
      act: 'rules',
      rules: {
        v: 1,
        kind: 'rules',
        home: asDeploymentId(one(['home-1', 'home-b', 'none'])),
        demo: one([false, false, true]),
      },
    },
  ])
}

/** A block that may follow, or is wrong in its place, its author, its approvals or one of its changes. */
export async function attemptOn(
  world: Founded,
  { link: parent, waiting }: { readonly link: RegistryLink; readonly waiting: Member },
  choice: Chooser,
): Promise<string> {
  const { one, happens } = choice
  const [a, b, c] = [world.member('a'), world.member('b'), world.member('c')]
  const by = one(['a', 'b'])
  const changes = [await someChange(world, by, choice)]
  if (happens(30)) changes.push(await someChange(world, by, choice))
  const approvers = [a.root, b.root, c.root, a.recovery, a.root, waiting.root, waiting.recovery].filter(
    (_, i) => happens([90, 90, 3, 3, 3, 2, 2][i] ?? 0),
  )
  const terms = (): ApprovalTerms =>
    happens(95)
      ? {}
      : one<ApprovalTerms>([
          { registry: null },
          { after: 9 },
          { expires: '2026-12-02T08:00:00.000Z' as ApprovalTerms['expires'] & string },
          { action: parent.place.id },
          { expires: '2026-01-01T00:00:00.000Z' as ApprovalTerms['expires'] & string },
        ])
  const approvals = await Promise.all(approvers.map((signer) => approve(parent, changes, signer, terms())))
  const draft = {
    ...draftChange(parent, changes, approvals),
    ...(happens(90) ? {} : one(misplacings(parent))),
  }
  const author = happens(75)
    ? world.member(by).root
    : one([a.recovery, b.recovery, c.root, a.instance, b.root, waiting.root, waiting.recovery])
  if (happens(8)) return signRegistryBlock(draft, author)
  return seal(parent, draft, author)
}

function misplacings({ place }: RegistryLink): Partial<Extract<RegistryBlock, { type: 'change' }>>[] {
  return [
    { height: place.height + 2 },
    { prev: place.registry as string as never },
    { registry: place.id },
    { time: '2026-01-01T00:00:00.000Z' as RegistryBlock['time'] },
  ]
}

/** A block with a change of every act but `replace-root`, which another key signs, and none that is refused. */
export async function everyAct(world: Founded): Promise<string> {
  const [a, b] = [world.member('a'), world.member('b')]
  const newcomer = await makeMember('new', world.random)
  const changes: RegistryChange[] = [
    { act: 'admit', institution: newcomer.own[0] },
    { act: 'remove', institution: asInstitutionId('c') },
    enrolment('a', 'a-2', await draw(world.random)),
    { act: 'revoke', kid: a.instance.kid, reason: 'compromised', suspectFrom: EXPIRES },
    deploying('a', 'home-2', 'http://two.test', await draw(world.random)),
    { act: 'rules', rules: { v: 1, kind: 'rules', home: asDeploymentId('home-2'), demo: true } },
  ]
  const approvals = [a.root, b.root].map((signer) => approve(world.link, changes, signer))
  return seal(world.link, draftChange(world.link, changes, await Promise.all(approvals)), a.root)
}

/** Values that hardly any member may have, at every place of a payload, and the payload without the place. */
export function misshapen(payload: Json): readonly Json[] {
  const values: readonly (Json | undefined)[] = [undefined, null, 'x', '', 3, true, [], {}, ['x'], { x: 1 }]
  return placesIn(payload).flatMap((path) =>
    values
      .map((value) => replaced(payload, path, () => value))
      .filter((after) => canonicalize(after) !== canonicalize(payload)),
  )
}
