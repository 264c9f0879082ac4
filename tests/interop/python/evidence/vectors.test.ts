// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { LOG, makeWorld, treeOf } from '#tests/vectors/ampere/evidence/world.ts'
import { describeWithPython } from '../software.ts'
import {
  expectAlike,
  FILES,
  fileUrl,
  kindOf,
  named,
  PINS,
  REJECTED,
  verdictsInPython,
  worded,
  type Case,
} from './verdicts.ts'

const PROGRAM = fileURLToPath(new URL('../verify_evidence.py', import.meta.url))
const files = Object.entries(FILES)
const all: readonly Case[] = files.map(([name, bytes]) => ({ name, bytes, pins: PINS }))

type Holder = Record<string | number, unknown>

function changed(of: string, set: (typeof REJECTED)[number]['set']): Uint8Array {
  const file = JSON.parse(new TextDecoder().decode(FILES[of])) as Holder
  for (const [path, value] of set) {
    const holder = path.slice(0, -1).reduce<Holder>((parent, name) => parent[name] as Holder, file)
    holder[path.at(-1) ?? ''] = value
  }
  return canonicalBytes(file)
}

describeWithPython('the frozen evidence in Python', () => {
  it('convinces whoever pins the registry and the log', () => {
    expect(named(all, verdictsInPython(all))).toEqual(files.map(([name]) => `${name}: ${kindOf(name)}`))
    expect(all).toHaveLength(16)
  })

  it('convinces of nothing once it is changed, by the code and the rule of each change', () => {
    const cases = REJECTED.map(({ name, of, set }) => ({
      name: `${of}: ${name}`,
      bytes: changed(of, set),
      pins: PINS,
    }))
    expect(named(cases, verdictsInPython(cases))).toEqual(named(cases, REJECTED.map(worded)))
    expect(cases).toHaveLength(140)
  })

  it('is judged by both alike, whatever is pinned', async () => {
    const stranger = await signerOf('other.test/log', 'Ed25519', 9)
    const strangers = formatVerifierKey(stranger.key)
    const pins = [
      { registry: null, logs: [] },
      { ...PINS, logs: [] },
      { ...PINS, registry: null },
      ...PINS.logs.map((key) => ({ ...PINS, logs: [key] })),
      { ...PINS, logs: [strangers] },
      { ...PINS, logs: [strangers, ...PINS.logs] },
      { ...PINS, logs: PINS.logs.map((key) => `${key}A`) },
      { ...PINS, registry: 'A'.repeat(43) as NonNullable<typeof PINS.registry> },
    ]
    const cases = pins.flatMap((pinned, i) =>
      all.map(({ name, bytes }) => ({ name: `${name} by ${i}`, bytes, pins: pinned })),
    )
    await expectAlike(cases, [
      'CONFIGURATION',
      'blocks',
      'checkpoints',
      'heads',
      'labels',
      'leaf-form',
      'order',
      'pinned',
      'promise',
      'time',
    ])
  })

  it('convicts no log by what a key of its name only cosigned', async () => {
    const { others } = await makeWorld()
    const witness = await signerOf(LOG, 'cosignature-Ed25519', 9)
    const key = formatVerifierKey(witness.key)
    const notes = [others, others.with(0, others[1] ?? new Uint8Array(0))].map((entries) =>
      treeOf([witness], entries).note(3, 1000),
    )
    const bytes = changed('checkpoints-root', [
      [['notes'], await Promise.all(notes)],
      [['log'], [key]],
    ])
    await expectAlike([{ name: 'cosigned', bytes, pins: { ...PINS, logs: [key] } }], ['pinned'])
  })

  it('takes a block of a registry for none of a chain', async () => {
    const { registry } = await makeWorld()
    const bytes = changed('blocks', [[['blocks', 0], registry.blocks[0]]])
    await expectAlike([{ name: 'a block of the registry', bytes, pins: PINS }], ['form'])
  })

  it('is judged on the command line, with exit codes', () => {
    const run = (name: string, ...flags: string[]) => {
      const { status, stdout } = spawnSync(
        'python3',
        ['-B', PROGRAM, fileURLToPath(fileUrl(name)), ...flags],
        { encoding: 'utf8' },
      )
      return { status, said: stdout === '' ? null : (JSON.parse(stdout) as unknown) }
    }
    const registry = ['--registry', PINS.registry ?? '']
    const convinces = { convinces: true, code: null, rule: null }
    expect(run('promise', ...registry, '--log', ...PINS.logs)).toEqual({
      status: 0,
      said: { ...convinces, kind: 'promise' },
    })
    expect(run('heads-fork', ...registry)).toEqual({ status: 0, said: { ...convinces, kind: 'heads' } })
    expect(run('blocks', ...registry)).toMatchObject({
      status: 3,
      said: { convinces: false, kind: 'blocks', code: 'CONFIGURATION' },
    })
    expect(run('heads-fork', '--registry', '-'.repeat(43))).toMatchObject({ status: 2 })
    expect(run('heads-fork', '--registry', `-${'A'.repeat(42)}`)).toMatchObject({
      status: 3,
      said: { rule: 'pinned' },
    })
    expect(run('blocks', '--log', 'no key')).toEqual({ status: 2, said: null })
  })
})
