// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import { flagsOf } from '#cli/program/command.ts'
import { run, runProcess, testTerminal } from '../harness.ts'

const SPECS = CATALOGUE.flatMap((group) => group.commands)
const REQUIRED =
  'init start doctor import send findings grant revoke rotate hold erase verify audit backup restore migrate retire completion'.split(
    ' ',
  )
const REQUIRED_VERBS = {
  chain: ['list', 'show', 'export'],
  client: ['add', 'list', 'remove', 'show', 'suspend'],
  demo: ['reset', 'tamper'],
  deploy: ['aws', 'azure', 'destroy', 'status'],
  device: ['approve', 'claim', 'invite', 'list', 'new', 'read', 'recovery', 'sheet'],
  evidence: ['list', 'verify'],
  home: ['follow', 'join', 'status'],
  incident: ['report'],
  instance: ['enrol', 'list', 'reinstate', 'revoke', 'approve', 'certificate', 'refuse', 'requests'],
  institution: ['list', 'new', 'propose', 'show', 'sign', 'withdraw'],
  monitor: ['add', 'list', 'remove', 'status'],
  mirror: ['add', 'admit', 'join', 'status', 'remove', 'restore'],
  recover: ['approve', 'cancel', 'complete', 'request', 'status'],
  pair: ['issue', 'join', 'link'],
  rotation: ['pause', 'run', 'status'],
  witness: ['accept', 'add', 'list', 'remove', 'renew', 'status'],
}

describe('help', () => {
  it('knows every command', () => {
    const verbs = Object.entries(REQUIRED_VERBS).flatMap(([noun, list]) =>
      list.map((verb) => `${noun} ${verb}`),
    )
    expect(SPECS.map((spec) => spec.name).toSorted()).toEqual([...REQUIRED, ...verbs].toSorted())
  })

  it.each(SPECS.map((spec) => [spec.name, spec] as const))(
    'of %s has usage, an example, every flag described, the exit codes, within 80 columns',
    async (name, spec) => {
      const { code, out, err } = await run([...name.split(' '), '--help'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out.startsWith(`Usage: ampere ${name}`)).toBe(true)
      expect(spec.examples.length).toBeGreaterThan(0)
      for (const { run: line } of spec.examples) expect(out).toContain(line)
      for (const { flags, about } of flagsOf(spec)) {
        expect(out).toContain(flags)
        expect(about).toMatch(/\w{3}/)
      }
      for (const { about } of spec.args ?? []) expect(about).toMatch(/\w{3}/)
      expect(out).toMatch(/Exit codes\n {2}0 {2}ok\n {2}1 {2}.+\n {2}2 {2}.+\n {2}3 {2}.+/)
      const examples = new Set(spec.examples.map((example) => `    ${example.run}`))
      const tooWide = out.split('\n').filter((line) => line.length > 80 && !examples.has(line))
      expect(tooWide).toEqual([])
    },
  )

  it('is in ASCII, so that it is clear wherever it is read', async () => {
    for (const spec of SPECS) {
      const { out } = await run([...spec.name.split(' '), '--help'])
      expect(out).toMatch(/^[\n -~]*$/)
    }
  })

  it('lists all commands without being asked, and a noun lists its verbs', async () => {
    const bare = await run([])
    expect(bare.code).toBe(0)
    for (const { name } of SPECS) expect(bare.out).toContain(`  ${name} `)
    const noun = await run(['chain'])
    expect(noun.code).toBe(2)
    expect(noun.err).toContain('chain export')
  })

  it('has examples that use only commands and flags that exist, with their arguments', () => {
    for (const spec of SPECS) {
      for (const example of spec.examples.flatMap(({ run: line }) => line.split(/ && | \| | > |\)$/))) {
        const words = example.replace(/^(source <\()?(npx )?/, '').match(/--\S+|[\w-]+="[^"]*"|\S+/g) ?? []
        if (words.shift() !== 'ampere') continue
        const named = SPECS.find(({ name }) => `${words.join(' ')} `.startsWith(`${name} `))
        const flags = new Map(flagsOf(named ?? spec).map((flag) => [flag.flags.split(' ')[0], flag.flags]))
        const rest = words.slice(named?.name.split(' ').length)
        expect({
          example,
          unknown: rest.filter((word) => word.startsWith('--') && !flags.has(word)),
        }).toEqual({
          example,
          unknown: [],
        })
        const values = rest.filter((word) => flags.get(word)?.includes('<') === true).length
        const given = rest.filter((word) => !word.startsWith('--')).length - values
        const required = (named?.args ?? []).filter(({ optional }) => optional !== true).length
        expect({ example, given: given >= required }).toEqual({ example, given: true })
        expect({ example, given: given <= (named?.args?.length ?? 0) }).toEqual({ example, given: true })
      }
    }
  })
})

describe('near misses', () => {
  it.each([
    [['grnt'], 'Did you mean grant?', 'npx ampere --help'],
    [['chain', 'lst'], 'Did you mean list?', 'npx ampere chain --help'],
    [['verify', '--al'], '--all', 'npx ampere verify --help'],
    [
      ['demo', 'tamper', '--what', 'blok'],
      'Allowed choices are key-row, block',
      'npx ampere demo tamper --help',
    ],
  ])('of %j are answered with what was meant, and exit 2', async (args, meant, next) => {
    const { code, err, out } = await run(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(meant)
    expect(err).toContain(`Next: ${next}`)
  })

  it('of flags without their values are not taken for values', async () => {
    const { code, err } = await run(['import', 'x.json', '--as', '--json'])
    expect({ code, err }).toMatchObject({ code: 2 })
  })

  it('are one JSON object with --json', async () => {
    const { code, out, err } = await run(['erase', '--json'])
    expect({ code, err }).toEqual({ code: 2, err: '' })
    expect(JSON.parse(out)).toMatchObject({ ok: false, code: 'USAGE', next: 'npx ampere erase --help' })
  })
})

describe('colour', () => {
  const red = '\u001b[31m'
  const wrong = (isTTY: boolean, env: Record<string, string>, ...flags: string[]) =>
    run(['verify', '/nothing', ...flags], testTerminal({ isTTY, env }))

  it('is only on a terminal, and off by NO_COLOR, TERM=dumb and --no-color', async () => {
    expect((await wrong(true, {})).err).toContain(red)
    expect((await wrong(false, {})).err).not.toContain(red)
    expect((await wrong(true, { NO_COLOR: '1' })).err).not.toContain(red)
    expect((await wrong(true, { TERM: 'dumb' })).err).not.toContain('\u001b')
    expect((await wrong(true, {}, '--no-color')).err).not.toContain(red)
    expect((await wrong(true, { NO_COLOR: '' })).err).toContain(red)
  })
})

describe('the process', () => {
  it('says its version, and ends with the code of the command', async () => {
    expect(await runProcess(['--version'])).toMatchObject({ code: 0, out: '0.1.0\n', err: '' })
    expect(await runProcess(['verfy'])).toMatchObject({ code: 2, out: '' })
  })
})
