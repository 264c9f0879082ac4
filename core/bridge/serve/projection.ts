// SPDX-License-Identifier: Apache-2.0
import type { FhirResource } from '../../record/fhir/model.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { mostJsonValues } from '../../bytes/json-values.ts'
import type { ClosedEntry, OpenedEntry, RecordView } from '../../client/client.ts'
import { digestOf } from '../../crypto/hash.ts'
import { utf8 } from '../../bytes/encoding.ts'
import { isAmpereError } from '../../errors.ts'
import { MAX_DEPTH } from '../../record/json-source.ts'
import { foldVersions, isShown, type ResourceVersions, type Versioned } from '../../record/current.ts'
import { parseHeader } from '../../record/entry.ts'

/** One version of a resource as the bridge serves it. */
export interface ServedVersion extends Versioned {
  readonly entry: OpenedEntry
  readonly resource: FhirResource
  /** JSON values of the resource, at most. */
  readonly values: number
}

/** A resource with its versions, the current one first, under the id that it is served with. */
export interface ServedResource {
  readonly type: string
  readonly id: string
  readonly versions: readonly ServedVersion[]
}

/** One patient's record in memory, ready to be served and searched. Findings are kept apart. */
export interface Projection {
  readonly view: RecordView
  readonly resources: ReadonlyMap<string, ServedResource>
  readonly findings: readonly FiledFinding[]
  /** What did not open, and what opened and is no resource. */
  readonly closed: readonly ClosedEntry[]
  /** Served `Type/id` by source and the name that the source's own references use. */
  readonly names: ReadonlyMap<string, string>
}

/** A finding on the record, with who filed it. Its other members are those of core/consistency's Finding. */
export interface FiledFinding extends FhirResource {
  readonly id: string
  readonly filedBy: string
  readonly filedAt: string
}

/** Type under which findings are filed; they are no FHIR resources. */
export const FINDING_TYPE = 'Finding'

/**
 * JSON values that a projection holds of what one author wrote, at most: some 200 MB of dense FHIR, and in memory some
 * 0.5 GB however they are made.
 */
export const MAX_AUTHOR_VALUES = 8_000_000
/** Bytes of a sealed header that is read; none of ours comes near. */
const MAX_HEADER_BYTES = 64 * 1024

/** Builds a projection; parsed versions are taken over from `before`, so that news alone cost time. */
export function project(
  view: RecordView,
  own: string,
  before: Projection | null,
  maxAuthorValues: number = MAX_AUTHOR_VALUES,
): Projection {
  const known = new Map<string, ServedVersion>()
  for (const resource of before?.resources.values() ?? []) {
    for (const version of resource.versions) known.set(versionId(version), version)
  }
  const versions: ServedVersion[] = []
  const filedFindings: ServedVersion[] = []
  const closed = [...view.closed]
  const ids = new Set<string>()
  const used = new Map<string, number>()
  for (const entry of view.opened) {
    const author = entry.institution ?? ''
    const held = used.get(author) ?? 0
    const taken = known.get(versionIdOf(entry))
    const values = taken?.values ?? mostJsonValues(entry.content)
    if (held + values > maxAuthorValues) {
      closed.push(closedAs(entry, 'reader-budget'))
      continue
    }
    // An id is drawn for one entry: a later one that has it was copied.
    const version = ids.has(entry.id) ? null : (taken ?? parseEntry(entry, values))
    ids.add(entry.id)
    if (version) used.set(author, held + values)
    if (!version) closed.push(closedAs(entry, 'resource'))
    else if (version.header.type === FINDING_TYPE) filedFindings.push(version)
    else versions.push(version)
  }
  const resources = new Map<string, ServedResource>()
  const names = new Map<string, string>()
  const groups = [...foldVersions(versions).values()].toSorted((a, b) => ownFirst(a, b, own))
  for (const { versions: group } of groups) {
    const [current] = group
    if (!current) continue
    const { type, id: sourceId, source, fullUrl } = current.header
    const id = resources.has(`${type}/${sourceId}`) ? otherId(source, sourceId) : sourceId
    const served = `${type}/${id}`
    resources.set(served, { type, id, versions: group })
    if (id !== sourceId) names.set(nameKey(source, `${type}/${sourceId}`), served)
    if (fullUrl !== null) names.set(nameKey(source, fullUrl), served)
  }
  return { view, resources, findings: standingFindings(filedFindings), closed, names }
}

function nameKey(source: string, name: string): string {
  return `${source} ${name}`
}

/** What a finding says, but for where its evidence lay when it was filed: two that say the same count once. */
export function claimOf({ id, rule, severity, title, explanation, evidence }: FhirResource): string {
  const facts = (Array.isArray(evidence) ? evidence : []).map((cited: unknown) => {
    const { source, type, id: of, pointer, value } = (cited ?? {}) as Readonly<Record<string, unknown>>
    return [source, type, of, pointer, value]
  })
  return JSON.stringify([id, rule, severity, title, explanation, facts])
}

/** Findings that were not withdrawn; the same one filed by two institutions counts once. */
function standingFindings(filed: readonly ServedVersion[]): readonly FiledFinding[] {
  const standing = new Map<string, FiledFinding>()
  for (const { versions } of foldVersions(filed).values()) {
    const [current] = versions
    if (!current || !isShown(current) || standing.has(claimOf(current.resource))) continue
    const { header, entry, resource } = current
    standing.set(claimOf(resource), {
      ...resource,
      id: header.id,
      filedBy: header.source,
      filedAt: entry.time,
    })
  }
  return [...standing.values()]
}

/** The version to show, or null when the resource was deleted or entered in error. */
export function shownVersion(resource: ServedResource): ServedVersion | null {
  const [current] = resource.versions
  return current && isShown(current) ? current : null
}

/**
 * The version's id: height and place of its entry, which no later arrival, restart or erasure changes.
 * Counting 1, 2, 3 would shift when an older version comes late or one is erased.
 */
export function versionIdOf(entry: Pick<OpenedEntry, 'height' | 'index'>): string {
  return `${entry.height}.${entry.index}`
}

export function versionId(version: ServedVersion): string {
  return versionIdOf(version.entry)
}

/** The JSON that is served: the source's content, its id and version here, references as they are served here. */
export function servedJson(
  projection: Projection,
  resource: ServedResource,
  version: ServedVersion,
): FhirResource {
  const meta = version.resource['meta'] ?? {}
  const rewritten = rewrite(version.resource, '', version.header.source, projection.names) as FhirResource
  return {
    ...rewritten,
    id: resource.id,
    meta: {
      ...meta,
      versionId: versionId(version),
      lastUpdated: version.header.time ?? version.entry.time,
    },
  }
}

/** FHIR R4 section 3.1.0.11.2: a uuid by which a message calls a resource is replaced wherever it stands. */
function rewrite(
  value: unknown,
  member: string,
  source: string,
  names: ReadonlyMap<string, string>,
): unknown {
  if (typeof value === 'string') {
    if (member !== 'reference' && !value.startsWith('urn:uuid:')) return value
    return names.get(nameKey(source, value)) ?? value
  }
  if (Array.isArray(value)) return value.map((item) => rewrite(item, member, source, names))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, rewrite(item, name, source, names)]),
  )
}

/**
 * Null for what is no resource: whoever may write can seal anything, and must not close the record to others by it.
 * The source is who signed, whatever the header says: nobody writes as another.
 */
function parseEntry(entry: OpenedEntry, values: number): ServedVersion | null {
  const { height, index, id } = entry
  try {
    if (entry.header.length > MAX_HEADER_BYTES) return null
    const header = { ...parseHeader(entry.header), source: entry.institution ?? entry.author }
    const content: unknown = JSON.parse(fromUtf8(entry.content))
    if (!isResource(content, header.type)) return null
    // A create assigns the id, so the one in the text may be another.
    return { header, height, index, id, entry, resource: { ...content, id: header.id }, values }
  } catch (error) {
    if (isAmpereError(error) || error instanceof SyntaxError) return null
    throw error
  }
}

function isResource(value: unknown, type: string): value is FhirResource {
  const { resourceType } = (value ?? {}) as { readonly resourceType?: unknown }
  return resourceType === type && !isDeeper(value, MAX_DEPTH + 1)
}

function isDeeper(value: unknown, than: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return than === 0 || Object.values(value).some((member) => isDeeper(member, than - 1))
}

function closedAs(entry: OpenedEntry, rule: 'resource' | 'reader-budget'): ClosedEntry {
  return { ...entry, status: 'unopenable', rule }
}

type Group = ResourceVersions<ServedVersion>

/**
 * This institution's resources come first and keep their ids; then those that were there first, so that all runs
 * agree and nobody takes the id under which another one's resource is served already.
 */
function ownFirst(a: Group, b: Group, own: string): number {
  const mine = ({ key }: Group) => (key.startsWith(`${own}/`) ? 0 : 1)
  return mine(a) - mine(b) || byPlace(oldest(a), oldest(b))
}

function oldest({ versions }: Group): ServedVersion | undefined {
  return versions.toSorted(byPlace)[0]
}

function byPlace(a: Versioned | undefined, b: Versioned | undefined): number {
  return (a?.height ?? 0) - (b?.height ?? 0) || (a?.index ?? 0) - (b?.index ?? 0)
}

/** The id of another source's resource whose own id is taken: stable, and within FHIR's 64 characters. */
function otherId(source: string, id: string): string {
  return `${digestOf(utf8(source))
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 6)}.${id}`.slice(0, 64)
}
