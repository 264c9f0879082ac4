// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../bytes/ids.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import { fromUtf8, toHex } from '../bytes/encoding.ts'
import type { RecordClient } from '../client/client.ts'
import type { Checker } from '../consistency/checker.ts'
import { AmpereError, isAmpereError } from '../errors.ts'
import type { Now, Random } from '../ports/keys.ts'
import type { Validator } from '../record/fhir/validate.ts'
import {
  readCreated,
  readFhirJson,
  readNdjson,
  type Intake,
  type IntakeOptions,
  type QuarantinedItem,
} from '../record/fhir/intake.ts'
import type { IntakeItem } from '../record/fhir/model.ts'
import { COMPARTMENTS } from '../record/entry.ts'
import type { LabelPolicy } from '../record/labels/label.ts'
import { fileItems, toNewEntries, type FiledItem, type Filing } from './file/file-resources.ts'
import { stepFindings, type FindingsStep } from './file/findings.ts'
import { DIRECTORY, groupByPatient, NO_PATIENT, type PatientGroup } from './file/group-patients.ts'
import { ontoJudged } from './file/onto-judged.ts'
import { createProjections, type Projections } from './serve/projections.ts'
import type { Projection } from './serve/projection.ts'
import { isPartial, recordItems } from './serve/record-items.ts'
import type { Claimed } from './store/access.ts'
import type { BridgeStore } from './store/open.ts'
import { createTurns, type Turns } from '../order/turns.ts'

/** What a bridge needs. */
export interface BridgePorts {
  readonly client: RecordClient
  readonly store: BridgeStore
  readonly validator: Validator
  readonly policy: LabelPolicy
  /** A checker of one record, which keeps what it knows so that news alone are checked. */
  readonly createChecker: () => Checker
  /** This institution's id. */
  readonly source: string
  readonly now: Now
  readonly random: Random
}

/** What came of one message. */
export interface ImportReport {
  readonly filed: readonly (FiledItem & { readonly patientId: string; readonly chain: ChainId })[]
  readonly quarantined: readonly QuarantinedItem[]
  readonly dangling: Intake['dangling']
  readonly findings: number
}

/** Who acts on a record through this bridge, as the access chain names them. */
export interface Actor {
  readonly user: string
  readonly role: string
  /** HL7 v3 PurposeOfUse, for example `TREAT`, as whoever asks says. */
  readonly purpose: string
  /** Of whom a client says that it acts for them; nobody here can know whether that is true. */
  readonly claims?: Claimed
}

/** The bridge's own work: feeds and schedules, with nobody at a screen. */
const SYSTEM: Actor = { user: 'bridge', role: 'system', purpose: 'TREAT' }

/** What came of an intake's resources; `homeless` name no patient and were not filed. */
export type FiledGroups = Pick<ImportReport, 'filed' | 'findings'> & {
  readonly homeless: readonly IntakeItem[]
}

/** How an intake is filed. */
export interface FilingRequest extends Pick<Filing, 'resend' | 'mayUpdate'> {
  /** The bridge itself when left out. */
  readonly actor?: Actor | undefined
  /**
   * Judges a patient's record, null while there is none, as it is when its turn has come: no other write of this
   * institution lies between. Called again when the record moved on meanwhile. What it throws is thrown.
   */
  readonly precondition?: ((projection: Projection | null) => void) | undefined
}

export type MessageFormat = 'fhir+json' | 'fhir+ndjson'

/** One institution's door between its software and the chains: opens what it may, files what it gets. */
export interface Bridge {
  /** Files a message; bad resources are kept apart and reported, the others filed. */
  import(bytes: Uint8Array, format: MessageFormat): Promise<ImportReport>
  /** Reads a message without filing anything; with `createId`, one resource that a create names so. */
  intake(bytes: Uint8Array, format: MessageFormat, createId?: string): Intake
  /** Files what an intake holds. */
  fileIntake(intake: Intake, how: FilingRequest): Promise<FiledGroups>
  /** Checks a patient's record again, as the role `checker` does on schedule. @returns how many findings are new */
  recheck(patientId: string): Promise<number>
  /** Checks as `recheck` does, and files nothing. @returns how many findings are not filed */
  check(patientId: string): Promise<number>
  /** A patient's record, verified and up to date. @throws AmpereError NOT_FOUND */
  record(patientId: string): Promise<{ readonly chain: ChainId; readonly projection: Projection }>
  /** The patient whose record serves a resource. @throws AmpereError NOT_FOUND */
  patientOf(type: string, id: string): Promise<string>
  /** Lets writes to one patient's record follow each other: each sees what the one before did. */
  readonly inTurn: Turns
  readonly ports: BridgePorts
}

/** What a bridge keeps of the records that it opened. */
interface Records {
  readonly projections: Projections
  readonly checkers: Map<ChainId, Checker>
  readonly inTurn: Turns
}

/** Makes a bridge. Projections live in its memory only; on a restart they are read and verified again. */
export function createBridge(ports: BridgePorts): Bridge {
  const inTurn = createTurns()
  const records: Records = { projections: createProjections(ports), checkers: new Map(), inTurn }
  const intake: Bridge['intake'] = (bytes, format, createId) => readMessage(ports, bytes, format, createId)
  const fileIntake: Bridge['fileIntake'] = (given, how) => fileGroups(ports, records, given, how)
  const open = async (patientId: string) => {
    const chain = await ports.store.patients.find(patientId)
    if (!chain) throw new AmpereError('NOT_FOUND', 'no such patient')
    return { chain, ...(await records.projections.load(patientId, chain)) }
  }
  const openToCheck = async (patientId: string) => {
    const { opened, ...record } = await open(patientId)
    const what = { chain: record.chain, what: 'consistency check', resources: opened }
    if (opened > 0) await enter(ports, SYSTEM, what)
    return record
  }
  return {
    ports,
    inTurn,
    intake,
    fileIntake,
    record: open,
    import: async (bytes, format) => {
      const given = intake(bytes, format)
      const { homeless, ...done } = await fileIntake(given, { resend: 'message' })
      const quarantined = [...given.quarantined, ...homeless.map(quarantineHomeless)]
      return {
        ...done,
        quarantined: quarantined.toSorted((a, b) => a.position - b.position),
        dangling: given.dangling,
      }
    },
    check: (patientId) =>
      inTurn(patientId, async () => {
        const { chain, projection } = await openToCheck(patientId)
        return stepOf(ports, records, chain, projection).fresh
      }),
    recheck: (patientId) =>
      inTurn(patientId, async () => {
        const { projection } = await openToCheck(patientId)
        return fileFindings(ports, records, projection, async () => (await open(patientId)).projection)
      }),
    patientOf: async (type, id) => {
      const name = await ports.store.resources.find(`${type}/${id}`)
      const patient = name === null ? null : await ports.store.patients.byName(name)
      if (!patient) throw new AmpereError('NOT_FOUND', 'no such resource')
      return patient.id
    },
  }
}

function readMessage(
  ports: BridgePorts,
  bytes: Uint8Array,
  format: MessageFormat,
  createId: string | undefined,
): Intake {
  const { source, policy, validator } = ports
  const newId = () => toHex(ports.random(16))
  const options: IntakeOptions = { source, received: toTimestamp(ports.now()), policy, validator, newId }
  if (createId !== undefined) return readCreated(bytes, createId, options)
  return format === 'fhir+json' ? readFhirJson(bytes, options) : readNdjson(bytes, options)
}

async function fileGroups(
  ports: BridgePorts,
  records: Records,
  given: Intake,
  how: FilingRequest,
): Promise<FiledGroups> {
  const filed: ImportReport['filed'][number][] = []
  let findings = 0
  const { groups, homeless } = groupByPatient(given, ports.validator.patientTypes)
  for (const group of groups) {
    const done = await records.inTurn(group.patientId, () => fileGroup(ports, records, group, how))
    filed.push(...done.filed)
    findings += done.findings
  }
  return { filed, findings, homeless }
}

async function fileGroup(
  ports: BridgePorts,
  records: Records,
  { patientId, items }: PatientGroup,
  how: FilingRequest,
): Promise<Pick<FiledGroups, 'filed' | 'findings'>> {
  const load = async (of: ChainId) => (await records.projections.load(patientId, of)).projection
  let isEntered = false
  const { chain, done } = await ontoJudged(async () => {
    const known = await ports.store.patients.find(patientId)
    how.precondition?.(known && (await load(known)))
    const to = known ?? (await createChain(ports, patientId))
    const projection = await load(to)
    const what = { chain: to, what: 'file', resources: projection.resources.size }
    if (!isEntered) await enter(ports, how.actor ?? SYSTEM, what)
    isEntered = true
    const outcomes = await fileItems(items, {
      projection,
      append: (entries) => ports.client.append(to, entries, projection.view.height),
      isForgotten: (resource, content) => ports.store.resources.isForgotten(to, resource, content),
      resend: how.resend,
      mayUpdate: how.mayUpdate,
    })
    return { chain: to, done: outcomes }
  })
  const filed = done.map((item) => ({ ...item, patientId, chain }))
  const isNews = done.some(({ outcome }) => outcome === 'created' || outcome === 'updated')
  if (!isNews) return { filed, findings: 0 }
  // What is loaded is found by its id from then on.
  const after = await load(chain)
  if (patientId === DIRECTORY) return { filed, findings: 0 }
  return { filed, findings: await fileFindings(ports, records, after, () => load(chain)) }
}

/** A resource that is about somebody must say about whom: attaching it to anyone would be a guess. */
function quarantineHomeless(item: IntakeItem): QuarantinedItem {
  const issue = {
    severity: 'error' as const,
    code: 'required' as const,
    expression: '',
    diagnostics: NO_PATIENT,
  }
  const text = fromUtf8(item.draft.content)
  return { position: item.position, code: 'RESOURCE_MALFORMED', issues: [issue], text }
}

/** Keeps that somebody opened a record, before anything of it is used. */
function enter(
  ports: BridgePorts,
  actor: Actor,
  what: { readonly chain: ChainId; readonly what: string; readonly resources: number },
): Promise<void> {
  return ports.store.access.record({ ...actor, ...what })
}

/** Checks what is new in a record and lets its findings follow, also when it moves on meanwhile. @returns how many are new */
function fileFindings(
  ports: BridgePorts,
  records: Records,
  loaded: Projection,
  load: () => Promise<Projection>,
): Promise<number> {
  const { chain } = loaded.view
  let at: Projection | null = loaded
  return ontoJudged(async () => {
    const projection = at ?? (await load())
    at = null
    const { drafts, fresh } = stepOf(ports, records, chain, projection)
    if (drafts.length > 0) await ports.client.append(chain, toNewEntries(drafts), projection.view.height)
    return fresh
  })
}

function stepOf(
  ports: BridgePorts,
  { checkers }: Records,
  chain: ChainId,
  projection: Projection,
): FindingsStep {
  const checker = checkers.get(chain) ?? ports.createChecker()
  checkers.set(chain, checker)
  const nowMs = ports.now()
  checker.sync(recordItems(projection), nowMs, isPartial(projection))
  return stepFindings(checker.report(), projection, ports.source, toTimestamp(nowMs))
}

/**
 * A patient who is not known here gets a chain of its own: records are joined on purpose, never by likeness.
 * @throws AmpereError HEAD_CONFLICT when another process made one meanwhile: that one is the patient's
 */
async function createChain(ports: BridgePorts, patientId: string): Promise<ChainId> {
  const { record } = await ports.client.create(COMPARTMENTS)
  try {
    await ports.store.patients.link(patientId, record)
  } catch (cause) {
    if (!isAmpereError(cause, 'ALREADY_EXISTS')) throw cause
    throw new AmpereError('HEAD_CONFLICT', 'the patient has a record meanwhile', { cause })
  }
  return record
}
