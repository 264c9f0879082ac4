// SPDX-License-Identifier: Apache-2.0
import type { Provider } from '#infra/bundle/bundle.ts'
import aws from './aws.json' with { type: 'json' }
import azure from './azure.json' with { type: 'json' }

/** A price as some page says it; bills are what counts. */
export interface Price {
  readonly usd: number
  /** For how many of the unit. */
  readonly per: number
  readonly unit: string
  /** The page that says so, and of when it is, as far as it says; null for what no page was found for. */
  readonly source: string | null
  readonly dated: string | null
  /** How many of the unit each account has for nothing in a month. */
  readonly free?: number
  readonly note?: string
}

export type PriceName = keyof typeof aws.prices | keyof typeof azure.prices

/** What one region of a provider costs. Other regions cost up to a quarter more. */
export interface PriceTable {
  readonly provider: Provider
  readonly region: string
  /** When the pages were looked up, in stored copies. */
  readonly found: string
  readonly prices: Readonly<Partial<Record<PriceName, Price>>>
}

const TABLES: Readonly<Record<Provider, PriceTable>> = {
  aws: { ...aws, provider: 'aws' },
  azure: { ...azure, provider: 'azure' },
}

/** The prices of a provider. */
export function pricesOf(provider: Provider): PriceTable {
  return TABLES[provider]
}

/** An amount of something that has a price. */
export interface Amount {
  readonly what: string
  readonly price: PriceName
  readonly amount: number
}

export interface Cost extends Amount {
  readonly usd: number
  readonly isVerified: boolean
}

/** What an amount costs. @throws RangeError for what this provider has no price of */
export function costOf(provider: Provider, amount: Amount): Cost {
  const price = TABLES[provider].prices[amount.price]
  if (!price) throw new RangeError(`${provider} has no price of ${amount.price}`)
  return { ...amount, usd: (amount.amount * price.usd) / price.per, isVerified: price.source !== null }
}

/** What all of them cost together, and what is left of that once each account's free amounts of a month are taken off. */
export function totalOf(
  provider: Provider,
  costs: readonly Cost[],
): { readonly usd: number; readonly beyondFreeUsd: number } {
  const amounts = new Map<PriceName, number>()
  for (const { price, amount } of costs) amounts.set(price, (amounts.get(price) ?? 0) + amount)
  const beyond = [...amounts].map(([price, amount]) => {
    const free = TABLES[provider].prices[price]?.free ?? 0
    return costOf(provider, { what: price, price, amount: Math.max(0, amount - free) }).usd
  })
  return { usd: sum(costs.map(({ usd }) => usd)), beyondFreeUsd: sum(beyond) }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
