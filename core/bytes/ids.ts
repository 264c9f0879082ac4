// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import { isBase64url } from './encoding.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** SHA-256, base64url, 43 characters. */
export type Digest = Branded<'Digest'>
/** Id of a block: SHA-256 of its JWS signing input, so that signing again does not make another block. */
export type BlockId = Branded<'BlockId'>
/** Id of a chain: the block id of its genesis. */
export type ChainId = Branded<'ChainId'>
/** Key id: RFC 7638 thumbprint. */
export type Kid = Branded<'Kid'>
/** 16 random bytes, base64url, 22 characters. */
export type EntryId = Branded<'EntryId'>
/** Opaque random id of a compartment, 16 bytes; its name travels only inside epoch packages. */
export type CompartmentId = Branded<'CompartmentId'>
/** Institution, instance and deployment ids in the registry: lower-case words joined by hyphens. */
export type InstitutionId = Branded<'InstitutionId'>
export type InstanceId = Branded<'InstanceId'>
export type DeploymentId = Branded<'DeploymentId'>
/** Recognises a retry: 16 random bytes kept before the first attempt. */
export type OpId = Branded<'OpId'>

export const asDigest = (text: string): Digest => checkBytes(text, 32, 'digest') as Digest
export const asBlockId = (text: string): BlockId => checkBytes(text, 32, 'block id') as BlockId
export const asChainId = (text: string): ChainId => checkBytes(text, 32, 'chain id') as ChainId
export const asKid = (text: string): Kid => checkBytes(text, 32, 'key id') as Kid
export const asEntryId = (text: string): EntryId => checkBytes(text, 16, 'entry id') as EntryId
export const asOpId = (text: string): OpId => checkBytes(text, 16, 'operation id') as OpId
export const asCompartmentId = (text: string): CompartmentId =>
  checkBytes(text, 16, 'compartment id') as CompartmentId
export const asInstitutionId = (text: string): InstitutionId =>
  checkName(text, 'institution') as InstitutionId
export const asInstanceId = (text: string): InstanceId => checkName(text, 'instance') as InstanceId
export const asDeploymentId = (text: string): DeploymentId => checkName(text, 'deployment') as DeploymentId

function checkBytes(text: string, length: number, what: string): string {
  if (!isBase64url(text)) throw new AmpereError('ENCODING_MALFORMED', `${what} is not base64url`)
  if (Math.floor((text.length * 3) / 4) !== length)
    throw new AmpereError('ENCODING_MALFORMED', `${what} is not ${length} bytes`)
  return text
}

function checkName(text: string, what: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    throw new AmpereError('ENCODING_MALFORMED', `${what} id is not 1 to 63 of a-z, 0-9 and inner hyphens`)
  }
  return text
}
