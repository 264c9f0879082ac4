// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { stripVTControlCharacters } from 'node:util'
import { CommanderError } from 'commander'
import fc from 'fast-check'
import { AmpereError } from '#core/errors.ts'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import { suggestion } from '#cli/program/near.ts'
import { fail } from '#cli/program/failure.ts'
import { parseInstitution, parseList, parsePort, parseSince, parseUntil } from '#cli/program/arguments.ts'
import { passphraseFileIn } from '#cli/deployment/passphrase.ts'
import { dataFolder } from '#cli/deployment/settings.ts'
import { OF_ANY_HOME, withPlace } from '#cli/terminal/hints.ts'
import { startProgress } from '#cli/terminal/progress.ts'
import { listenForStop } from '#cli/terminal/stopping.ts'
import { columns, count, counted, duration, localTime, size, wrapped } from '#cli/terminal/words.ts'
import { testTerminal, type TestTerminal } from '../harness.ts'

describe('progress', () => {
  const audit = { doing: 'Auditing', unit: 'blocks' }

  it('says nothing of work that is done within a second', () => {
    const terminal = testTerminal({ isTTY: true, tickMs: 10 })
    const progress = startProgress(terminal, { ...audit, total: 50 })
    for (let done = 1; done <= 50; done++) progress.update(done)
    progress.stop()
    expect(terminal.said.err).toBe('')
  })

  it('draws a bar in ASCII with count and time left on a terminal, and takes it away', () => {
    const terminal = testTerminal({ isTTY: true, tickMs: 1000 })
    const progress = startProgress(terminal, { ...audit, total: 2000 })
    progress.update(500)
    progress.update(1500)
    progress.stop()
    const drawn = drawnIn(terminal.said.err)
    expect(drawn[0]).toBe('Auditing [######------------------] 500 of 2,000 blocks, about 6.0 s left')
    expect(drawn[1]).toMatch(/^Auditing \[#{18}-{6}\] 1,500 of 2,000 blocks, about \d\.\d s left$/)
    expect(drawn.at(-1)).toBe('')
    expect(terminal.said.err.endsWith('\u001b[1G\u001b[2K')).toBe(true)
    expect(terminal.said.err).not.toContain('\n')
    expect(terminal.said.out).toBe('')
  })

  it('draws no more than five times a second, however often it is told', () => {
    const terminal = testTerminal({ isTTY: true, tickMs: 1 })
    const progress = startProgress(terminal, { ...audit, total: 4000 })
    for (let done = 1; done <= 2000; done++) progress.update(done)
    expect(drawnIn(terminal.said.err).length).toBeLessThanOrEqual(6)
    progress.stop()
  })

  it('goes on drawing while nothing is done, when the clock of the terminal says so', () => {
    const ticks: (() => void)[] = []
    const terminal = Object.assign(testTerminal({ isTTY: true, tickMs: 600 }), {
      every: (_: number, act: () => void) => {
        ticks.push(act)
        return () => ticks.splice(0)
      },
    })
    const progress = startProgress(terminal, audit)
    for (let turn = 0; turn < 3; turn++) for (const act of ticks) act()
    expect(drawnIn(terminal.said.err)[0]).toMatch(/^Auditing, \d\.\d s$/)
    progress.stop()
    expect(ticks).toEqual([])
  })

  it('writes plain lines elsewhere, one in five seconds, without moving a cursor', () => {
    const terminal = testTerminal({ tickMs: 1000 })
    const progress = startProgress(terminal, { ...audit, total: 2000 })
    for (let done = 100; done <= 1200; done += 100) progress.update(done)
    progress.stop()
    const lines = terminal.said.err.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^Auditing 100 of 2,000 blocks, about \d+ s left$/)
    expect(terminal.said.err).not.toContain('\u001b')
  })

  it('is plain on a terminal that cannot move a cursor', () => {
    const terminal = testTerminal({ isTTY: true, tickMs: 1000, env: { TERM: 'dumb' } })
    const progress = startProgress(terminal, audit)
    progress.update(7)
    progress.stop()
    expect(terminal.said.err).toBe('Auditing 7 blocks, 1.0 s\n')
  })
})

/** What stood in the line, one after the other. */
function drawnIn(written: string): readonly string[] {
  return written.split('\u001b[1G').slice(1).map(stripVTControlCharacters)
}

describe('Ctrl+C', () => {
  const settled = async (terminal: TestTerminal) => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    return terminal.said
  }

  it('says what is kept, closes what is open, and ends with 1', async () => {
    const terminal = testTerminal()
    const { stopping } = listenForStop(terminal)
    let isClosed = false
    stopping.closes(async () => {
      isClosed = true
    })
    stopping.keeps(() => '3 of 4 are filed.')
    terminal.stop()
    expect(await settled(terminal)).toMatchObject({ err: '\nStopped. 3 of 4 are filed.\n', exits: [1] })
    expect(isClosed).toBe(true)
  })

  it('counts once when a wrapper passes the same signal on, and a later second one ends at once', async () => {
    const terminal = testTerminal({ tickMs: 300 })
    const { stopping } = listenForStop(terminal)
    stopping.closes(() => new Promise(() => {}))
    Object.assign(terminal, { wait: () => new Promise(() => {}) })
    terminal.stop()
    terminal.stop()
    expect((await settled(terminal)).exits).toEqual([])
    terminal.stop()
    expect((await settled(terminal)).exits).toEqual([1])
  })

  it("is the command's own affair once it has taken it over", async () => {
    const terminal = testTerminal()
    const { stopping } = listenForStop(terminal)
    const stopped = stopping.untilStopped()
    terminal.stop()
    await stopped
    expect(terminal.said).toMatchObject({ err: '', exits: [] })
  })
})

describe('words', () => {
  it('are those of people', () => {
    expect([count(1204), counted(1, 'entry', 'entries'), counted(2, 'entry', 'entries')]).toEqual([
      '1,204',
      '1 entry',
      '2 entries',
    ])
    expect([duration(40), duration(9_949), duration(9_951), duration(185_000)]).toEqual([
      '0.0 s',
      '9.9 s',
      '10 s',
      '3 min 5 s',
    ])
    expect([size(999), size(1000), size(999_960), size(83_400_000_000)]).toEqual([
      '999 bytes',
      '1.0 kB',
      '1.0 MB',
      '83.4 GB',
    ])
    const september = new Date(2026, 8, 3, 4, 5)
    expect(localTime(september.toISOString())).toBe('03-Sep-2026 04:05')
    expect(
      columns([
        ['a', 'long'],
        ['wider', 'x'],
      ]),
    ).toEqual(['  a      long', '  wider  x'])
  })

  it('are broken at spaces and lose nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 12, max: 80 }),
        (words, width) => {
          const lines = wrapped(words.join(' '), width)
          expect(lines.join(' ')).toBe(words.join(' '))
          expect(lines.every((line) => line.length <= width)).toBe(true)
        },
      ),
    )
  })

  it('are suggested when they are a slip away, and never when they are right or far', () => {
    const known = ['hospital-a', 'hospital-b', 'clinic-c']
    expect(suggestion('hopsital-a', known)).toContain('hospital-a')
    expect(suggestion('clinic', known)).toContain('clinic-c')
    for (const word of ['clinic-c', 'x', 'laboratory']) expect(suggestion(word, ['clinic-c'])).toBe('')
  })
})

describe('what is typed after a flag', () => {
  it('becomes what it means', () => {
    expect(parsePort('7310')).toBe(7310)
    expect(parseList(' general , genetic')).toEqual(['general', 'genetic'])
    expect(parseInstitution("st-marys=St Mary's", [{ id: 'a', name: 'a' }])).toEqual([
      { id: 'a', name: 'a' },
      { id: 'st-marys', name: "St Mary's" },
    ])
    expect(parseUntil('2026-11-23') - parseSince('2026-11-23')).toBe(86_399_999)
    expect(parseUntil('2026-11-23T14:05:00+01:00')).toBe(Date.UTC(2026, 10, 23, 13, 5))
  })

  it.each([
    () => parsePort('0'),
    () => parsePort('65536'),
    () => parseList(' , '),
    () => parseInstitution('St Mary', undefined),
    () => parseInstitution('a=', undefined),
    () => parseInstitution('st-marys', undefined),
    () => parseUntil('23.11.2026'),
    () => parseSince('2026-13-01'),
  ])('is refused with exit code 2 where it means nothing: %s', (parse) => {
    expect(parse).toThrow(CommanderError)
  })
})

describe('a suggested command', () => {
  it('names the folder that this one was given, except where another one is meant', () => {
    const told = (text: string) => withPlace(text, { data: '/srv/a b' })
    expect(withPlace('npx ampere start', {})).toBe('npx ampere start')
    expect(withPlace('Next: npx ampere start', { data: '/srv/a' })).toBe(
      'Next: npx ampere start --data /srv/a',
    )
    expect(told('npx ampere demo tamper && npx ampere verify --all')).toBe(
      "npx ampere demo tamper --data '/srv/a b' && npx ampere verify --data '/srv/a b' --all",
    )
    for (const text of [
      'npx ampere import --help',
      'There  npx ampere institution sign 8Jq2mP0x',
      'There npx ampere mirror add http://home.example --policy FILE',
      'npx ampere --help',
    ])
      expect(told(text)).toBe(text)
  })

  it('names the cloud that this one was given, where it may be about one', () => {
    const told = (text: string) => withPlace(text, { data: '/srv/a', cloud: 'aws-prod' })
    expect(told('Next: npx ampere chain show 7Qk2 --block 1')).toBe(
      'Next: npx ampere chain show --cloud aws-prod --data /srv/a 7Qk2 --block 1',
    )
    expect(told('npx ampere deploy aws --stage prod')).toBe(
      'npx ampere deploy aws --data /srv/a --stage prod',
    )
    const takeIt = CATALOGUE.flatMap(({ commands }) =>
      commands.flatMap(({ name, flags = [] }) =>
        flags.some((flag) => flag.flags.startsWith('--cloud ')) ? [name] : [],
      ),
    )
    expect(takeIt.toSorted()).toEqual(OF_ANY_HOME.toSorted())
  })
})

describe('an empty variable', () => {
  it('says nothing', () => {
    expect(dataFolder(undefined, { AMPERE_DATA: '' })).toBe(dataFolder(undefined, {}))
    expect(dataFolder(undefined, { AMPERE_DATA: '/srv/a' })).toBe('/srv/a')
    expect(passphraseFileIn({ AMPERE_PASSPHRASE_FILE: '' })).toBeUndefined()
    expect(passphraseFileIn({ AMPERE_PASSPHRASE_FILE: 'file' })).toBe('file')
  })
})

describe('what went wrong', () => {
  const told = (error: unknown, options = {}) => {
    const terminal = testTerminal()
    return { code: fail(terminal, { color: true, ...options }, error), ...terminal.said }
  }

  it('is said with its code and the next command', () => {
    const { code, err } = told(new AmpereError('STORE_FULL', 'the data folder is full'))
    expect(code).toBe(1)
    expect(err).toMatch(/^ampere: the data folder is full \(STORE_FULL\)\n {2}Next: make room/)
  })

  it('sends who asked a home in a cloud to its deployment, not to this computer', () => {
    const { err } = told(new AmpereError('UPSTREAM_FAILED', 'the home answered 404'), { cloud: 'aws-prod' })
    expect(err).toContain('Next: npx ampere deploy status --provider aws --stage prod\n')
  })

  it('is 3 where a proof does not hold', () => {
    expect(told(new AmpereError('VERIFICATION_FAILED', 'rule forked: two blocks')).code).toBe(3)
  })

  it('never quotes what a library was given, not even with --debug', () => {
    let error: unknown
    try {
      JSON.parse('{"name": Janine Purdy}')
    } catch (caught) {
      error = caught
    }
    expect(String(error)).toContain('Janine')
    const { err } = told(new AmpereError('JSON_MALFORMED', 'not JSON', { cause: error }), { debug: true })
    expect(err).toContain('caused by')
    expect(err).toContain('terminal.test.ts')
    expect(`${err}${told(error, { debug: true }).err}`).not.toContain('Janine')
    expect(told(error).err).toContain('something unexpected happened (SyntaxError)')
  })

  it.each([
    ['ENOSPC', 'STORE_FULL'],
    ['EACCES', 'FORBIDDEN'],
    ['EROFS', 'STORE_UNAVAILABLE'],
  ])('of the operating system (%s) is told in our words', (system, code) => {
    const error = Object.assign(new Error(`${system}: something`), { code: system, path: '/data/x' })
    expect(told(error).err).toMatch(new RegExp(`^ampere: /data/x: .* \\(${code}\\)`))
  })
})
