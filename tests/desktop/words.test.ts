// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { PROBLEMS } from '#core/api/problems.ts'
import type { ChainId, Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { notExport } from '#core/client/export/failure.ts'
import type { ExportReport } from '#core/client/export/verify-export.ts'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import { asJson, failedWith, pageFailed, type Outcome } from '#desktop/verify/outcome.ts'
import {
  checksOf,
  counted,
  erasedOf,
  longTime,
  ruleOf,
  sizeOf,
  statusOf,
  verdictOf,
} from '#desktop/verify/words.ts'

const REPORT: ExportReport = {
  chain: 'c'.repeat(43) as ChainId,
  registry: 'r'.repeat(43) as Digest,
  origin: 'http://home.test',
  blocks: 7,
  entries: 3,
  erased: 0,
  statuses: [],
  erasures: [],
  log: null,
  receipts: 0,
  asOf: '2026-11-04T08:00:01.000Z' as Timestamp,
  complete: { height: 6, asOfMs: null, why: 'no-monitor', words: [], forked: null },
  problems: [],
}
const problem = (rule: string, height = 3) => ({
  height,
  status: rule === 'object' || rule === 'keys-row' ? ('missing' as const) : ('tampered' as const),
  rule,
  detail: 'missing',
})
const reported = (change: Partial<ExportReport>): Outcome => ({
  report: { ...REPORT, ...change },
  failure: null,
})
const failed = (code: ErrorCode, message: string) => failedWith(new AmpereError(code, message))
const titleOf = (outcome: Outcome) => verdictOf(outcome, true).title

describe('the verdict on a file', () => {
  it('is "ok" for nothing but a report without problems against a registry that was typed', () => {
    expect(verdictOf(reported({}), true).tone).toBe('ok')
    expect(verdictOf(reported({}), false).tone).toBe('info')
    const others = [
      reported({ problems: [problem('object')] }),
      ...Object.keys(PROBLEMS).map((code) => failed(code as ErrorCode, 'x')),
      ...(['INSECURE', 'FILE_TOO_LARGE', 'UNREADABLE', 'UNEXPECTED'] as const).map((code) =>
        pageFailed(code, 'x'),
      ),
    ]
    for (const outcome of others) expect(['bad', 'wait']).toContain(verdictOf(outcome, true).tone)
  })

  it('says changed or missing as the rules say, and counts blocks once', () => {
    const textOf = (...rules: string[]) =>
      verdictOf(reported({ problems: rules.map((rule) => problem(rule)) }), true).text
    expect(textOf('entry-hash', 'keys-root')).toMatch(/^Parts of 1 block were changed\./)
    expect(textOf('keys-row')).toMatch(/^Parts of 1 block are missing\./)
    expect(textOf('object', 'keys-root')).toMatch(/^Parts of 1 block were changed or are missing\./)
  })

  it('tells another kind of file from a part of an export, and both from a forgery', () => {
    expect(titleOf(failedWith(notExport()))).toBe('This is not an Ampere export')
    expect(titleOf(failed('EXPORT_MALFORMED', 'line 1: not JSON'))).toBe('This export is not whole')
    expect(titleOf(failed('EXPORT_MALFORMED', 'the text is not UTF-8'))).toBe('This export is not whole')
    expect(titleOf(failed('EXPORT_MALFORMED', 'line 12: not JSON'))).toBe('This export is not whole')
    expect(titleOf(failed('ENCODING_MALFORMED', 'base64url has slack bits'))).toBe('Verification failed')
    expect(titleOf(failed('VERIFICATION_FAILED', 'rule prev: block 3: x'))).toBe('Verification failed')
    expect(titleOf(failed('VERIFICATION_FAILED', 'rule registry: x'))).toBe(
      'This file is of another registry',
    )
    expect(titleOf(failed('UNSUPPORTED', 'block type x'))).toBe('This export needs a newer page')
  })

  it('blames the page, not the file, for what is no error of ours', () => {
    expect(titleOf(failedWith(new TypeError('x is undefined')))).toBe('This page failed, not the file')
    expect(asJson(failedWith('odd'))).toEqual({ ok: false, code: 'UNEXPECTED', message: 'odd' })
  })
})

describe('the words about the log', () => {
  const receipt = { height: 2, status: 'tampered', rule: 'receipt', detail: 'x' } as const
  const log = (problems: readonly (typeof receipt)[]) => ({
    statuses: ['witnessed', 'logged', problems.length > 0 ? 'promised' : 'witnessed'] as const,
    receipts: [],
    problems,
  })

  it('say that nobody judged receipts, what a policy proves of each block, and what it does not bear out', () => {
    const textOf = (change: Partial<ExportReport>) => verdictOf(reported(change), true).text
    expect(textOf({})).toMatch(/Receipts were not judged: no policy was given\.$/)
    expect(textOf({ log: log([]) })).toMatch(
      /By the policy that you gave: 2 witnessed, 1 logged and not witnessed\.$/,
    )
    const found = { log: log([receipt]), problems: [receipt] }
    expect(textOf(found)).toMatch(/what is stored is what was signed\. The log does not bear out 1 block\. /)
    const both = { ...found, problems: [receipt, problem('keys-root')] }
    expect(textOf(both)).toMatch(/^Parts of 1 block were changed\..* 1 promised/)
    expect(titleOf(reported(both))).toBe('2 problems found')
  })

  it('keep what is stored apart from what the log shows', () => {
    const resultsOf = (change: Partial<ExportReport>) =>
      checksOf({ ...REPORT, ...change }, true).map(({ result }) => result)
    expect(resultsOf({ log: log([receipt]), problems: [receipt] }).slice(4, 6)).toEqual(['Passed', 'Failed'])
    expect(resultsOf({ log: log([]), problems: [problem('object')] }).slice(4, 6)).toEqual([
      'Failed',
      'Passed',
    ])
  })

  it('have a meaning for each status that the log gives', () => {
    for (const status of ['forked', 'overdue', 'late'] as const)
      expect(statusOf({ ...receipt, status, rule: 'x' }).means).not.toMatch(/stored|asked to erase/)
  })
})

describe('the words of a report', () => {
  it('list every check, and what was not checked', () => {
    const resultsOf = (report: ExportReport, isPinned: boolean) =>
      checksOf(report, isPinned).map(({ result }) => result)
    const rest = ['Not checked', 'Not checked', 'Not checked']
    expect(resultsOf(REPORT, true)).toEqual(['Passed', 'Passed', 'Passed', 'Passed', 'Passed', ...rest])
    expect(resultsOf(REPORT, false)[0]).toBe('Not checked')
    expect(resultsOf({ ...REPORT, problems: [problem('object')] }, true)[4]).toBe('Failed')
    expect(resultsOf({ ...REPORT, erased: 1 }, true)).toHaveLength(9)
  })

  it('do not state how much was erased where a key row no longer says so', () => {
    expect(erasedOf({ ...REPORT, erased: 1204 })).toBe('1,204')
    expect(erasedOf({ ...REPORT, erased: 2, problems: [problem('keys-root')] })).toBe('at least 2')
    expect(erasedOf({ ...REPORT, erased: 2, problems: [problem('entry-hash')] })).toBe('2')
  })

  it('take rule, block and finding from a message that names them', () => {
    expect(ruleOf({ code: 'VERIFICATION_FAILED', message: 'rule prev: block 41: not the parent' })).toEqual({
      rule: 'prev',
      height: 41,
      detail: 'not the parent',
    })
    expect(ruleOf({ code: 'VERIFICATION_FAILED', message: 'rule head: it ends early' })?.height).toBeNull()
    expect(ruleOf({ code: 'EXPORT_MALFORMED', message: 'line 3 is not JSON' })).toBeNull()
  })

  it('write numbers, sizes and times for people', () => {
    expect([counted(1, 'entry'), counted(1204, 'entry')]).toEqual(['1 entry', '1,204 entries'])
    expect([sizeOf(1), sizeOf(999), sizeOf(45_300), sizeOf(1_250_000)]).toEqual([
      '1 byte',
      '999 bytes',
      '45 kB',
      '1.3 MB',
    ])
    expect(longTime('2026-01-09T23:59:59.999Z')).toBe('9 January 2026, 23:59 UTC')
  })

  it('give every timestamp the day and minute that it has in UTC', () => {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: 'UTC', month: 'long' })
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
        const clock = date.toISOString().slice(11, 16)
        const day = `${date.getUTCDate()} ${format.format(date)} ${date.getUTCFullYear()}`
        expect(longTime(toTimestamp(date.getTime()))).toBe(`${day}, ${clock} UTC`)
      }),
    )
  })
})
