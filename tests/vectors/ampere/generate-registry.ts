// SPDX-License-Identifier: Apache-2.0
// Writes registry.json: node tests/vectors/ampere/generate-registry.ts
// All keys are Ed25519 and drawn from the seed, so every run gives the same bytes. Vectors that have been
// published are not generated again: a change of format gets a new file.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { asDeploymentId, asInstanceId, asInstitutionId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { toBase64url, toHex } from '#core/bytes/encoding.ts'
import { isViolation } from '#core/block/violation.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers, generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import type { Random, Signer } from '#core/ports/keys.ts'
import { buildChange, buildRegistry, institutionRecords, keyRecord } from '#core/registry/build.ts'
import {
  openRegistryBlock,
  registryAction,
  signRegistryApproval,
  signRegistryBlock,
  type RegistryBlock,
  type RegistryChange,
} from '#core/registry/block.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { applyRegistryBlock, type RegistryLink } from '#core/registry/reduce.ts'
import { WAITING_MS } from '#core/registry/rules/membership.ts'
import { getRecord, proveRecord, stateRoot } from '#core/registry/state.ts'
import { SEED, seededBytes } from './seeded-bytes.ts'

/** When the registry of the vectors is founded; each block follows the one before by a minute. */
const START = Date.parse('2026-11-01T08:00:00.000Z')

/** More than 30 days after any block of the vectors. */
const FAR = '2027-01-01T08:00:00.000Z' as RegistryBlock['time']

/** The signers of the vectors; each key is drawn when its name is first asked for. */
export function keyring(random: Random) {
  const seeds: Record<string, string> = {}
  const make = (name: string): Promise<Signer> => {
    const { seed } = generateSoftwareKey('Ed25519', random)
    seeds[name] = toHex(seed)
    return softwareSigner('Ed25519', seed)
  }
  const found = async (id: string) => {
    const root = await make(`${id} root`)
    const recovery = await make(`${id} recovery`)
    const instance = await make(`${id} 1`)
    const own = institutionRecords({
      id: asInstitutionId(id),
      name: `Institution ${id}`,
      root: root.publicKey,
      recovery: recovery.publicKey,
      sealingKey: sealingPublicKey(random(32)),
    })
    return { root, recovery, instance, own, enrol: enrolment(id, '1', instance) }
  }
  return { seeds, make, found }
}

/** A registry that grows block by block, a minute apart. */
export function growing(random: Random) {
  const blocks: object[] = []
  let now = START
  let link: RegistryLink | null = null
  const ports = { now: () => now, random }
  const take = async (compact: string): Promise<void> => {
    const opened = await openOn(link, compact)
    const after = applyRegistryBlock(link, opened)
    if (isViolation(after)) throw new Error(`rule ${after.rule}: ${after.detail}`)
    blocks.push({ block: compact, id: opened.id, state: stateRoot(after.state) })
    now += 60_000
    link = after
  }
  const newest = (): RegistryLink => {
    if (!link) throw new Error('the registry is empty')
    return link
  }
  return {
    blocks,
    newest,
    pass: (ms: number) => {
      now += ms
    },
    begin: async (records: FoundingRecord[], founders: Signer[]) =>
      take(await buildRegistry(ports, records, founders)),
    change: async (author: Signer, changes: RegistryChange[], approvers: Signer[] = []) =>
      take(await buildChange(ports, newest(), changes, author, approvers)),
  }
}

/** One registry from its genesis through every kind of change, blocks that break a rule, and record proofs. */
export async function registryVectors() {
  const random = seededBytes(SEED)
  const { seeds, make, found } = keyring(random)
  const [a, b, c, d] = [await found('a'), await found('b'), await found('c'), await found('d')]
  const [head, second, renewed] = [await make('home-1'), await make('a 2'), await make('b root 2')]
  const home = deployment('a', 'home-1', 'https://home.example', head)
  const two = deployment('d', 'home-2', 'https://two.example', d.instance)
  const rules = { v: 1 as const, kind: 'rules' as const, demo: false }
  const founding = [a, b, c].flatMap(({ own, enrol }) => [...own, enrol.instance, enrol.key])
  const root = keyRecord(renewed.publicKey, 'root', { institution: asInstitutionId('b') })

  const { blocks, newest, begin, change, pass } = growing(random)
  await begin(
    [...founding, home.deployment, home.key, { ...rules, home: home.deployment.id }],
    [a.root, b.root, c.root],
  )
  await change(a.root, [enrolment('a', '2', second)])
  await change(a.root, [revocation(a.instance)])
  await change(a.root, [{ act: 'admit', institution: d.own[0] }], [a.root, b.root])
  await change(b.recovery, [{ act: 'replace-root', institution: asInstitutionId('b'), root }])
  pass(WAITING_MS)
  await change(d.root, [two])
  const moved = { act: 'rules' as const, rules: { ...rules, home: two.deployment.id } }
  await change(renewed, [moved], [a.root, renewed, d.root])
  await change(a.root, [{ act: 'remove', institution: asInstitutionId('c') }], [a.root, renewed])

  await change(a.root, [{ act: 'revoke', kid: second.kid, reason: 'suspended', suspectFrom: null }])
  await change(a.root, [{ act: 'reinstate', kid: second.kid }])
  const e = await found('e')
  await change(d.root, [{ act: 'admit', institution: e.own[0] }], [a.root, d.root])

  const enrol = enrolment('a', '3', await make('a 3'))
  const taken = deployment('a', 'home-3', 'https://two.example', await make('home-3'))
  const { place } = newest()
  const out: RegistryChange[] = [{ act: 'remove', institution: asInstitutionId('d') }]
  const votes = (terms: object, ...signers: Signer[]) => approvalsOf(newest(), out, terms, signers)
  const rejected = await Promise.all([
    refused(newest(), 'registry', a.root, [enrol], { registry: place.id }),
    refused(newest(), 'height', a.root, [enrol], { height: place.height + 2 }),
    refused(newest(), 'prev', a.root, [enrol], { prev: place.registry }),
    refused(newest(), 'time', a.root, [enrol], { time: '2026-11-01T08:00:00.000Z' }),
    refused(newest(), 'author', b.root, [enrol]),
    refused(newest(), 'enrol', renewed, [enrol]),
    refused(newest(), 'recovery-key', a.recovery, [enrol]),
    refused(newest(), 'kid-owner', a.root, [enrolment('a', '1', a.instance)]),
    refused(newest(), 'origin', a.root, [taken]),
    refused(newest(), 'majority', a.root, [{ act: 'remove', institution: asInstitutionId('b') }]),
    refused(newest(), 'waiting', e.root, [enrolment('e', '1', e.instance)]),
    refusedVote(newest(), 'waiting', a.root, out, await votes({}, a.root, e.root)),
    refusedVote(newest(), 'approval-after', a.root, out, await votes({ after: 7 }, a.root, renewed)),
    refusedVote(newest(), 'approval-term', a.root, out, await votes({ expires: FAR }, a.root, renewed)),
    refused(newest(), 'reinstate', a.root, [{ act: 'reinstate', kid: a.instance.kid }]),
    refused(newest(), 'state-root', a.root, [enrol]),
  ])
  return { seeds, blocks, rejected, proofs: proofsIn(newest(), `key/${b.root.kid}`) }
}

/** Approvals of what may follow `parent`, on other terms. */
function approvalsOf(parent: RegistryLink, changes: RegistryChange[], terms: object, signers: Signer[]) {
  const { registry, height, time } = parent.place
  const approval = {
    registry,
    after: height,
    action: registryAction('change', { changes }),
    expires: toTimestamp(Date.parse(time) + 86_400_000),
    ...terms,
  }
  return Promise.all(signers.map((signer) => signRegistryApproval(approval, signer)))
}

function refusedVote(
  parent: RegistryLink,
  rule: string,
  author: Signer,
  changes: RegistryChange[],
  approvals: string[],
) {
  return refused(parent, rule, author, changes, { body: { changes, approvals } })
}

/** A block on `parent` that its author signed and that breaks one rule. */
export async function refused(
  parent: RegistryLink,
  rule: string,
  author: Signer,
  changes: RegistryChange[],
  given: object = {},
) {
  const { place, state } = parent
  const draft = {
    v: 1,
    type: 'change',
    registry: place.registry,
    height: place.height + 1,
    prev: place.id,
    time: place.time,
    state: stateRoot(state),
    op: toBase64url(new Uint8Array(16)),
    body: { changes, approvals: [] },
    ...given,
  } as unknown as RegistryBlock
  const block = await signRegistryBlock(draft, author)
  const verdict = applyRegistryBlock(parent, await openOn(parent, block))
  if (!isViolation(verdict) || verdict.rule !== rule) throw new Error(`not refused by ${rule}`)
  return { rule, block }
}

function proofsIn({ state }: RegistryLink, ...more: string[]) {
  const keys = ['institution/a', 'institution/c', 'institution/none', 'instance/a-1', 'rules', 'membership', ...more]
  return keys.map((key) => ({ key, record: getRecord(state, key), ...proveRecord(state, key) }))
}

export function enrolment(institution: string, suffix: string, signer: Signer): Extract<RegistryChange, { act: 'enrol' }> {
  const owner = { institution: asInstitutionId(institution), instance: asInstanceId(`${institution}-${suffix}`) }
  return {
    act: 'enrol',
    instance: {
      v: 1,
      kind: 'instance',
      id: owner.instance,
      institution: owner.institution,
      status: 'active',
      capabilities: ['control', 'create'],
      signing: signer.kid,
    },
    key: keyRecord(signer.publicKey, 'sign', owner),
  }
}

export function deployment(
  institution: string,
  id: string,
  origin: string,
  signer: Signer,
): Extract<RegistryChange, { act: 'deploy' }> {
  const key = keyRecord(signer.publicKey, 'head', { deployment: asDeploymentId(id) })
  const owner = asInstitutionId(institution)
  const record = { id: asDeploymentId(id), institution: owner, origin, kid: signer.kid }
  return { act: 'deploy', deployment: { v: 1, kind: 'deployment', ...record }, key }
}

export function revocation({ kid }: Signer): RegistryChange {
  const suspectFrom = '2026-11-01T07:00:00.000Z' as RegistryBlock['time']
  return { act: 'revoke', kid, reason: 'compromised', suspectFrom }
}

function openOn(link: RegistryLink | null, compact: string) {
  const keyOf = (kid: string) => {
    const record = link ? getRecord(link.state, `key/${kid}`) : null
    return record?.kind === 'key' ? record.jwk : null
  }
  return openRegistryBlock(compact, keyOf, createVerifiers())
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = JSON.stringify({ seed: SEED, vectors: await registryVectors() }, null, 1)
  writeFileSync(new URL('registry.json', import.meta.url), `${text}\n`)
}
