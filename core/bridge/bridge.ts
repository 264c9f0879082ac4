// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../bytes/encoding.ts'
import type { ChainId } from '../bytes/ids.ts'
import { toTimestamp } from '../bytes/timestamp.ts'
import type { RecordClient } from '../client/client.ts'
import type { CheckReport } from '../consistency/check.ts'
import { digestOf } from '../crypto/hash.ts'
import { AmpereError } from '../errors.ts'
import type { Now } from '../ports/keys.ts'
import { COMPARTMENTS, type EntryDraft } from '../record/entry.ts'
import {
  readFhirJson,
  readNdjson,
  type Intake,
  type IntakeOptions,
  type QuarantinedItem,
} from '../record/fhir/intake.ts'
import type { Validator } from '../record/fhir/validate.ts'
import type { LabelPolicy } from '../record/labels/label.ts'
import type { AccessLog } from './store/access.ts'
import { fileItems, toNewEntries, type FiledItem } from './file/file-resources.ts'
import { groupByPatient } from './file/group-patients.ts'
import type { PatientIndex } from './store/patients.ts'
import { FINDING_TYPE, project, type Projection } from './serve/projection.ts'

/** What a bridge needs. */
export interface BridgePorts {
  readonly client: RecordClient
  readonly index: PatientIndex
  readonly validator: Validator
  readonly policy: LabelPolicy
  /** Checks a record's consistency; `changed` are the entry ids that are new. */
  readonly check: (projection: Projection) => CheckReport
  readonly access: AccessLog
  /** This institution's id. */
  readonly source: string
  readonly now: Now
}

/** What came of one message. */
export interface ImportReport {
  readonly filed: readonly (FiledItem & { readonly patientId: string; readonly chain: ChainId })[]
  readonly quarantined: readonly QuarantinedItem[]
  readonly dangling: Intake['dangling']
  readonly findings: number
}

/** One institution's door between its software and the chains: opens what it may, files what it gets. */
export interface Bridge {
  /** Files a message; bad resources are kept apart and reported, the others filed. */
  import(bytes: Uint8Array, format: 'fhir+json' | 'fhir+ndjson'): Promise<ImportReport>
  /** Reads a message without filing anything. */
  intake(bytes: Uint8Array, format: 'fhir+json' | 'fhir+ndjson'): Intake
  /** Files what an intake holds. */
  fileIntake(intake: Intake): Promise<Omit<ImportReport, 'quarantined' | 'dangling'>>
  /** Checks a patient's record again, as the role `checker` does on schedule. @returns how many findings are new */
  recheck(patientId: string): Promise<number>
  /** A patient's record, verified and up to date. @throws AmpereError NOT_FOUND */
  record(patientId: string): Promise<{ readonly chain: ChainId; readonly projection: Projection }>
  readonly ports: BridgePorts
}

/** Makes a bridge. Projections live in its memory only; on a restart they are read and verified again. */
export function createBridge(ports: BridgePorts): Bridge {
  const projections = new Map<ChainId, Projection>()
  const load = async (chain: ChainId): Promise<Projection> => {
    const before = projections.get(chain) ?? null
    const view = await ports.client.read(chain)
    const next = before?.view === view ? before : project(view, ports.source, before)
    projections.set(chain, next)
    return next
  }
  const intake = (bytes: Uint8Array, format: Format) => readMessage(ports, bytes, format)
  return {
    ports,
    intake,
    fileIntake: (given) => fileGroups(ports, load, given),
    import: async (bytes, format) => {
      const given = intake(bytes, format)
      return {
        ...(await fileGroups(ports, load, given)),
        quarantined: given.quarantined,
        dangling: given.dangling,
      }
    },
    recheck: async (patientId) => {
      const chain = await chainOf(ports, patientId)
      return fileFindings(ports, chain, await load(chain))
    },
    record: async (patientId) => {
      const chain = await chainOf(ports, patientId)
      return { chain, projection: await load(chain) }
    },
  }
}

type Format = 'fhir+json' | 'fhir+ndjson'
type Load = (chain: ChainId) => Promise<Projection>

function readMessage(ports: BridgePorts, bytes: Uint8Array, format: Format): Intake {
  const { source, policy, validator } = ports
  const options: IntakeOptions = { source, received: toTimestamp(ports.now()), policy, validator }
  return format === 'fhir+json' ? readFhirJson(bytes, options) : readNdjson(bytes, options)
}

async function fileGroups(
  ports: BridgePorts,
  load: Load,
  given: Intake,
): Promise<Omit<ImportReport, 'quarantined' | 'dangling'>> {
  const filed: ImportReport['filed'][number][] = []
  let findings = 0
  for (const { patientId, items } of groupByPatient(given)) {
    const chain = await chainFor(ports, patientId)
    const done = await fileItems(
      (to, entries) => ports.client.append(to, entries),
      chain,
      items,
      await load(chain),
    )
    filed.push(...done.map((item) => ({ ...item, patientId, chain })))
    if (done.some((item) => item.outcome !== 'unchanged'))
      findings += await fileFindings(ports, chain, await load(chain))
  }
  return { filed, findings }
}

async function chainOf(ports: BridgePorts, patientId: string): Promise<ChainId> {
  const chain = await ports.index.find(patientId)
  if (!chain) throw new AmpereError('NOT_FOUND', 'no such patient')
  return chain
}

async function chainFor(ports: BridgePorts, patientId: string): Promise<ChainId> {
  const known = await ports.index.find(patientId)
  if (known) return known
  const { record } = await ports.client.create()
  await ports.index.link(patientId, record)
  return record
}

/**
 * Checks the record, files the findings that are not on it yet, and withdraws those of this institution that
 * later facts have settled. @returns how many were filed
 */
export async function fileFindings(
  ports: BridgePorts,
  chain: ChainId,
  projection: Projection,
): Promise<number> {
  const { findings } = ports.check(projection)
  const known = new Set(projection.findings.map((finding) => finding.id))
  const standing = new Set<string>(findings.map((finding) => finding.id))
  const fresh = findings.filter((finding) => !known.has(finding.id))
  const settled = projection.findings.filter((old) => old.filedBy === ports.source && !standing.has(old.id))
  const drafts = [
    ...fresh.map((finding) =>
      findingDraft(ports, finding.id, { ...finding }, 'current', finding.compartment),
    ),
    ...settled.map(({ id, compartment }) =>
      findingDraft(ports, id, { id }, 'deleted', compartmentNamed(compartment)),
    ),
  ]
  if (drafts.length > 0) await ports.client.append(chain, toNewEntries(drafts))
  return fresh.length
}

function findingDraft(
  ports: BridgePorts,
  id: string,
  finding: object,
  status: EntryDraft['header']['status'],
  compartment: EntryDraft['compartment'],
): EntryDraft {
  const received = toTimestamp(ports.now())
  const content = utf8(JSON.stringify({ resourceType: FINDING_TYPE, ...finding }))
  const header: EntryDraft['header'] = {
    v: 1,
    source: ports.source,
    type: FINDING_TYPE,
    id,
    version: null,
    time: received,
    status,
    supersedes: null,
    labels: [],
    origin: { format: 'fhir+json', hash: digestOf(content), received },
    media: 'application/vnd.ampere.finding+json',
  }
  return { header, content, compartment }
}

function compartmentNamed(name: unknown): EntryDraft['compartment'] {
  return COMPARTMENTS.find((known) => known === name) ?? 'unclassified'
}
