// SPDX-License-Identifier: Apache-2.0
import { exportFailure } from '#core/client/export/failure.ts'
import { logCounts, logPhrase } from '#core/client/export/log-counts.ts'
import type { ExportReport } from '#core/client/export/verify-export.ts'
import type { Failure, Outcome } from './outcome.ts'

export type Tone = 'ok' | 'info' | 'wait' | 'bad'
export type Icon = 'shield-check' | 'shield-alert' | 'shield-x' | 'file-x' | 'file-question-mark'

/** The answer in words: never "valid", never a tone or an icon alone. */
export interface Verdict {
  readonly tone: Tone
  readonly icon: Icon
  readonly title: string
  readonly text: string
  /** What to do now; null when there is nothing to do. */
  readonly next: string | null
}

/** One sentence per check, with what came of it. */
export interface Check {
  readonly result: 'Passed' | 'Failed' | 'Not checked'
  readonly sentence: string
}

type Problem = ExportReport['problems'][number]

/** What came of a file, in one heading and two sentences. */
export function verdictOf({ report, failure }: Outcome, isPinned: boolean): Verdict {
  if (failure) return VERDICTS[kindOf(failure)]
  if (report.problems.length > 0) return problemsVerdict(report)
  const text = `All ${counted(report.blocks, 'block')} are signed, in order, and end where the home says that the record ends. What is stored is what was signed. ${logSentence(report)}`
  if (isPinned) {
    return { tone: 'ok', icon: 'shield-check', title: 'Every part is what was signed', text, next: null }
  }
  return {
    tone: 'info',
    icon: 'shield-alert',
    title: 'Every part is what was signed. Its registry is not confirmed',
    text,
    next: 'Get the registry id from someone you trust, not from this file. Type it above and check again.',
  }
}

/** What the log says of the blocks, in the words of the command line; plainly, where nobody asked it. */
function logSentence({ log }: ExportReport): string {
  if (!log) return 'Receipts were not judged: no policy was given.'
  return `By the policy that you gave: ${logPhrase(logCounts([log]))}.`
}

function problemsVerdict(report: ExportReport): Verdict {
  const { problems, blocks, log } = report
  const ofLog = new Set<Problem>(log?.problems)
  const ofParts = problems.filter((problem) => !ofLog.has(problem))
  if (ofParts.length > 0) return partsVerdict(ofParts, blocks, problems.length, logSentence(report))
  const heights = new Set(problems.map((problem) => problem.height)).size
  return {
    tone: 'bad',
    icon: 'shield-x',
    title: `${counted(problems.length, 'problem')} found`,
    text: `All ${counted(blocks, 'block')} are signed and in order, and what is stored is what was signed. The log does not bear out ${counted(heights, 'block')}. ${logSentence(report)}`,
    next: 'Compare the policy with that of someone you trust. If it is right, do not rely on the blocks below, and keep this file: it shows what happened.',
  }
}

function partsVerdict(problems: readonly Problem[], blocks: number, all: number, log: string): Verdict {
  const heights = new Set(problems.map((problem) => problem.height)).size
  const words = new Set(problems.map((problem) => statusOf(problem).word))
  const what =
    words.size > 1 ? 'were changed or are missing' : words.has('missing') ? 'are missing' : 'were changed'
  return {
    tone: 'bad',
    icon: 'shield-x',
    title: `${counted(all, 'problem')} found`,
    text: `Parts of ${counted(heights, 'block')} ${what}. All ${counted(blocks, 'block')} are signed and in order: what was altered is what is stored beside them. ${log}`,
    next: 'Do not rely on the blocks below. Export the record again, and keep this file: it shows what happened.',
  }
}

type Kind = 'registry' | 'foreign' | 'cut' | 'broken' | 'newer' | 'insecure' | 'large' | 'unreadable' | 'page'

const VERDICTS: Readonly<Record<Kind, Verdict>> = {
  registry: {
    tone: 'bad',
    icon: 'shield-x',
    title: 'This file is of another registry',
    text: 'The registry id that you typed is not the one in this file. Nothing else was checked.',
    next: 'Compare the two ids. If yours is right, do not rely on this file.',
  },
  foreign: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'This is not an Ampere export',
    text: 'It does not begin as one: it is another kind of file, or empty. Nothing was checked.',
    next: 'Choose a file that "npx ampere chain export" wrote.',
  },
  cut: {
    tone: 'bad',
    icon: 'file-x',
    title: 'This export is not whole',
    text: 'It starts as an export, but a part is cut off or damaged. Rely on nothing in it.',
    next: 'Copy or download it again. If that does not help, export the record again.',
  },
  broken: {
    tone: 'bad',
    icon: 'shield-x',
    title: 'Verification failed',
    text: 'Checking stopped at the first thing that does not hold. Rely on nothing in this file.',
    next: 'Export the record again, and keep this file: it shows what happened.',
  },
  newer: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'This export needs a newer page',
    text: 'It uses a kind of block that this version of Ampere does not know. Nothing in it is confirmed.',
    next: 'Get the newest version of this page.',
  },
  insecure: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'This page cannot check anything here',
    text: 'It was opened over a connection that is not protected, where browsers switch cryptography off. The file was not read.',
    next: 'Save this page and open it from your computer.',
  },
  large: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'This file is too large',
    text: 'Neither a browser nor "npx ampere verify" can hold more than 536 MB in one piece. Nothing was checked.',
    next: null,
  },
  unreadable: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'The file could not be read',
    text: 'It was moved, changed or locked after you chose it, or it is a folder. Nothing was checked.',
    next: 'Choose the file again.',
  },
  page: {
    tone: 'wait',
    icon: 'file-question-mark',
    title: 'This page failed, not the file',
    text: 'Something went wrong inside this page. It says nothing about the file.',
    next: 'Try another browser, or run "npx ampere verify" with the file.',
  },
}

function kindOf(failure: Failure): Kind {
  const { code, message } = failure
  if (exportFailure(failure) === 'not-export') return 'foreign'
  if (code === 'EXPORT_MALFORMED') return 'cut'
  if (message.startsWith('rule registry:')) return 'registry'
  return KIND_OF[code] ?? 'broken'
}

const KIND_OF: Partial<Record<Failure['code'], Kind>> = {
  UNSUPPORTED: 'newer',
  INSECURE: 'insecure',
  FILE_TOO_LARGE: 'large',
  UNREADABLE: 'unreadable',
  UNEXPECTED: 'page',
}

/** Every check in a sentence. A failure stops the checks, so it has none but its own. */
export function checksOf(report: ExportReport, isPinned: boolean): readonly Check[] {
  const { blocks, entries, erased, problems, log } = report
  const inParts = problems.length - (log?.problems.length ?? 0)
  return [
    {
      result: isPinned ? 'Passed' : 'Not checked',
      sentence: isPinned
        ? 'The registry is the one you typed.'
        : 'Whether the registry is one to trust: anybody can make one.',
    },
    { result: 'Passed', sentence: 'Each change of the registry is signed and follows its rules.' },
    {
      result: 'Passed',
      sentence: `Each of ${counted(blocks, 'block')} is signed by a key of the registry or of the patient, and follows the rules of the chain.`,
    },
    { result: 'Passed', sentence: "The home's statement is by its own key and names the last block." },
    inParts === 0
      ? {
          result: 'Passed',
          sentence: `What is stored of ${counted(entries, 'entry')} is what the blocks name.`,
        }
      : {
          result: 'Failed',
          sentence: `Stored keys or entries are not what the blocks name: ${counted(inParts, 'problem')}, listed above.`,
        },
    logCheck(report),
    ...(erased === 0
      ? []
      : [{ result: 'Not checked', sentence: 'Whether copies of what was erased exist elsewhere.' } as const]),
    { result: 'Not checked', sentence: 'Whether the home has newer blocks: the end is as the home says.' },
    { result: 'Not checked', sentence: 'Contents, which stay sealed.' },
  ]
}

function logCheck(report: ExportReport): Check {
  const { log, receipts, origin } = report
  if (!log) {
    const sentence = `${counted(receipts, 'receipt')} of the log of ${origin}: a policy says which keys to trust.`
    return { result: 'Not checked', sentence }
  }
  const found = log.problems.length
  const rest = found === 0 ? '' : ` ${counted(found, 'problem')}, listed above.`
  return { result: found === 0 ? 'Passed' : 'Failed', sentence: `${logSentence(report)}${rest}` }
}

/** What a word about the log means. */
const OF_LOG: Partial<Record<Problem['status'], string>> = {
  forked: 'The log shows two histories.',
  overdue: 'The home owes a receipt of it.',
  late: 'Whoever signed it had no right to any more.',
}

/** The status word of a problem, and what it means. */
export function statusOf({ status, rule }: Problem): {
  readonly word: Problem['status']
  readonly means: string
} {
  const means = OF_LOG[status]
  if (means !== undefined) return { word: status, means }
  if (rule === 'receipt' || rule === 'label')
    return { word: status, means: 'Its receipt is not one of this block in a log that you trust.' }
  if (status === 'tampered') return { word: status, means: 'The stored copy was changed.' }
  const isDestroyed = rule === 'keys-row'
  return {
    word: status,
    means: isDestroyed
      ? 'Its key should be here; nobody asked to erase it.'
      : 'It should be here; nobody asked to erase it.',
  }
}

/** The number of erased entries; a key row that is gone or changed no longer says how many of its keys are. */
export function erasedOf({ erased, problems }: ExportReport): string {
  const isUnsure = problems.some(({ rule }) => rule === 'keys-row' || rule === 'keys-root')
  return `${isUnsure ? 'at least ' : ''}${erased.toLocaleString('en-GB')}`
}

/** Rule, block and finding of a failure whose message names them; null where the message has none. */
export function ruleOf({ message }: Failure): { rule: string; height: number | null; detail: string } | null {
  const [, rule, height, detail] = /^rule ([a-z-]+): (?:block (\d+): )?(.*)$/.exec(message) ?? []
  if (rule === undefined || detail === undefined) return null
  return { rule, height: height === undefined ? null : Number(height), detail }
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

/** `1 November 2026, 08:00 UTC` of a timestamp; from its characters, so that no time zone shifts the day. */
export function longTime(timestamp: string): string {
  const [date = '', time = ''] = timestamp.split('T')
  const [year = '', month = '', day = ''] = date.split('-')
  return `${Number(day)} ${MONTHS[Number(month) - 1] ?? month} ${year}, ${time.slice(0, 5)} UTC`
}

/** `1,204 entries`. */
export function counted(count: number, noun: string): string {
  const many = noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`
  return `${count.toLocaleString('en-GB')} ${count === 1 ? noun : many}`
}

/** `1.2 MB`, `14 kB`, `312 bytes`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return counted(bytes, 'byte')
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
