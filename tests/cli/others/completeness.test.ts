// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Completeness } from '#core/client/complete/monitor-words.ts'
import { completeCounts, completeLines, recordPhrase } from '#cli/proof/completeness.ts'
import { readShownChain } from '#cli/proof/shown-chain.ts'
import { localTime } from '#cli/terminal/words.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { monitoredWorld, type MonitoredWorld } from '#tests/core/client/complete/monitored-world.ts'
import { withholding } from '#tests/core/client/complete/twists.ts'
import { spoiltFile, type Spoilt } from '#tests/vectors/ampere/lookups/monitored-record.ts'
import { freshFolder } from '../harness.ts'
import { lines, told } from '../told.ts'

const FROZEN = fileURLToPath(new URL('../../vectors/ampere/lookups/', import.meta.url))
const frozen = (name: string) => readFileSync(join(FROZEN, name))
const { registry } = JSON.parse(frozen('expected.json').toString()) as { readonly registry: string }
const FILE = join(FROZEN, 'export.ampere')
const nowhere = freshFolder()
const pins = [`--registry=${registry}`, '--policy', join(FROZEN, 'policy.txt')]
const monitors = ['--monitors', join(FROZEN, 'monitors.json')]
const OTHER = await signerOf('other.example/log', 'Ed25519', 77)
const LOG_LINE = `log ${formatVerifierKey(OTHER.key)}\n`
const AS_OF = '2026-11-01T08:01:00.000Z'

/** A frozen file that is not complete. */
function spoilt(name: string): string {
  const { vectors } = JSON.parse(frozen('spoilt.json').toString()) as { vectors: readonly Spoilt[] }
  const vector = vectors.find((each) => each.name === name)
  if (!vector) throw new Error('no such vector')
  const file = join(dirname(nowhere), `${name}.ampere`)
  writeFileSync(file, spoiltFile(frozen('export.ampere').toString().trimEnd().split('\n'), vector))
  return file
}

describe('verify of a file', () => {
  it('says as of when it is complete, by whom, and what only the home says', async () => {
    const { out } = await lines(nowhere, 'verify', FILE, ...pins, ...monitors)
    expect(out).toContain(
      `Complete as of ${localTime(AS_OF)}, by the monitors http://m1.test, http://m2.test\n`,
    )
    expect(out).toMatch(/4 blocks, .* as of \S+ \S+ as its home says\n/)
    expect(await told(nowhere, 'verify', FILE, ...pins, ...monitors)).toMatchObject({
      exit: 0,
      complete: {
        asOf: AS_OF,
        height: 3,
        why: null,
        monitors: [
          { origin: 'http://m1.test', says: 'absent', seen: AS_OF, size: 10, detail: '' },
          { origin: 'http://m2.test', says: 'absent' },
        ],
      },
    })
  })

  it('says plainly that it does not know, and what would help, without monitors or witnesses', async () => {
    const without = await lines(nowhere, 'verify', FILE, ...pins)
    expect(without.out).toContain(
      '  Not checked: whether its home holds back later blocks: no monitor is trusted here (--monitors FILE says which)\n',
    )
    const unwitnessed = await lines(nowhere, 'verify', FILE, ...monitors)
    expect(unwitnessed.out).toContain(
      'later blocks: no witnesses are trusted here (--policy FILE says which)\n',
    )
    expect(`${without.out}${unwitnessed.out}`).not.toMatch(/[Cc]omplete as of/)
  })

  it('names each monitor whose word does not count, and why', async () => {
    const stale = await lines(nowhere, 'verify', spoilt('stale'), ...pins, ...monitors)
    expect(stale.out).toContain(
      'later blocks: 0 of 2 monitors that must say so do; http://m1.test looked before witnesses had seen the newest block; ',
    )
    const wrong = await lines(nowhere, 'verify', spoilt('wrong-key'), ...pins, ...monitors)
    expect(wrong.out).toMatch(
      /http:\/\/m1\.test gave no answer that counts \(rule lookup: it is signed by a key/,
    )
    const bare = await lines(nowhere, 'verify', spoilt('not-cosigned'), ...pins, ...monitors)
    expect(bare.out).toContain('http://m1.test looked in a tree that no quorum of the policy has cosigned; ')
    const empty = await lines(nowhere, 'verify', spoilt('no-lookup'), ...pins, ...monitors)
    expect(empty.out).toContain('later blocks: the file has no answer of a trusted monitor\n')
  })

  it('fails for a file whose end is held back, and says which block is missing', async () => {
    const file = spoilt('withheld')
    const { out, err } = await lines(nowhere, 'verify', file, ...pins, ...monitors)
    expect(`${out}${err}`).toContain(
      'FAILED block 4: missing. A monitor has it in the log of the home, and the file ends before it (rule withheld).',
    )
    expect(await told(nowhere, 'verify', file, ...pins, ...monitors)).toMatchObject({
      exit: 3,
      complete: { asOf: null, why: 'withheld' },
    })
  })

  it('fails for a file that shows that its log has two histories', async () => {
    const { out, err } = await lines(nowhere, 'verify', spoilt('forked'), ...pins, ...monitors)
    expect(`${out}${err}`).toMatch(
      /FAILED block 3: forked\. The log signed two trees of 10 leaves.*rule split-view/,
    )
    expect(`${out}${err}`).not.toContain('later blocks')
  })

  it('refuses a policy of other logs once, instead of finding every receipt wrong', async () => {
    const file = join(dirname(nowhere), 'other.txt')
    const policy = frozen('policy.txt').toString()
    writeFileSync(file, policy.replaceAll(/^log .*\n/gm, '').replace(/^/, LOG_LINE))
    const refused = await told(nowhere, 'verify', FILE, `--registry=${registry}`, '--policy', file)
    expect(refused).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION',
      message: expect.stringMatching(
        /has keys of other\.example\/log and none of home\.test\/log, the log of/,
      ),
    })
  })

  it('says what to append to a policy without a quorum line', async () => {
    const file = join(dirname(nowhere), 'bare.txt')
    writeFileSync(
      file,
      frozen('policy.txt')
        .toString()
        .replace(/^quorum .*\n/m, ''),
    )
    const { code, err } = await lines(nowhere, 'verify', FILE, '--policy', file)
    expect([code, err]).toEqual([2, expect.stringContaining('append "quorum none"')])
  })

  it('refuses monitors that are none', async () => {
    const file = join(dirname(nowhere), 'none.json')
    writeFileSync(file, '{"origins":[],"need":1}')
    expect(await told(nowhere, 'verify', FILE, '--monitors', file)).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION',
    })
  })
})

describe('what is said of many records together', () => {
  it('names each monitor that did not say so, with its reason and of how many records, once', async () => {
    const made = await monitoredWorld()
    await made.append('one')
    await made.settle()
    const origins = ['http://m1.test', 'http://m2.test']
    const fine = await made.ask({ origins })
    made.instead.set('http://m2.test', () => Promise.reject(new TypeError('refused')))
    const down = await made.ask({ origins })
    made.instead.set('http://m2.test', async () =>
      Response.json(
        { code: 'NOT_FOUND', detail: 'no such log is\n\u001b[2J monitored here' },
        { status: 404 },
      ),
    )
    const strange = await made.ask({ origins })
    const counts = completeCounts([fine, down, strange, down, null])
    expect(counts).toMatchObject({ records: 1, others: { 'too-few': 3 } })
    expect(counts.monitors).toMatchObject([
      {
        origin: 'http://m2.test',
        why: 'gave no answer that counts (the monitor cannot be reached)',
        records: 2,
      },
      { origin: 'http://m2.test', records: 1 },
    ])
    expect(completeLines(counts)).toEqual([
      expect.stringMatching(/^1 record complete as of .*, 3 records not: too few monitors say so$/),
      '  The monitor http://m2.test gave no answer that counts (the monitor cannot be reached): 2 records',
      expect.stringMatching(
        /^  The monitor http:\/\/m2\.test gave no answer that counts \([ -~]*\): 1 record$/,
      ),
    ])
    expect(completeLines(completeCounts([fine]))).toHaveLength(1)
    const still = { origin: 'http://m1.test', says: 'unusable', tree: null, detail: '' } as const
    const why = (seenMs: number | null, detail: string) =>
      completeLines(
        completeCounts([{ ...down, words: [{ ...still, seenMs, detail }] } satisfies Completeness]),
      )[1]
    expect(why(1, '')).toContain('looked before witnesses had seen the newest block')
    for (const seenMs of [1, null])
      expect(why(seenMs, 'it stopped at a finding: fork')).toContain(
        'has STOPPED and takes nothing newer of the log (it stopped at a finding: fork)',
      )
  })
})

describe('chain show', () => {
  let made: MonitoredWorld
  const UNKNOWN = {
    'no-monitor': '',
    'no-quorum': '',
    'no-lookup': '',
    'no-label-key': '',
    'head-not-witnessed': '',
    growing: '',
  }
  const phrase = (complete: Completeness | null) => complete && recordPhrase(complete, 2, UNKNOWN)

  beforeAll(async () => {
    made = await monitoredWorld()
    await made.append('one')
  })

  it('says as of when the record is complete, and that it is not where a monitor has more', async () => {
    const fetch = withholding(made)
    await made.settle()
    const before = await readShownChain(made.reader({ fetch }), made.record)
    expect([before.problem, before.blocks.length]).toEqual([null, 3])
    expect(phrase(before.complete)).toEqual([
      expect.stringMatching(/^Complete as of .*, by the monitors http/),
    ])
    await made.append('two')
    await made.settle()
    const after = await readShownChain(made.reader({ fetch }), made.record)
    expect(after.problem).toMatchObject({ status: 'missing', rule: 'withheld' })
    expect(phrase(after.complete)).toEqual([])
  })
})
