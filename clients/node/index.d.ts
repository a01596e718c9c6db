import type { Pool, PoolClient } from 'pg'

export class ShareError extends Error {}

export class Shares {
  constructor (userId: string, token: string, appShare: string)
  readonly userId: string
  values (): [string, string, string]
}

type AppShareOf = (userId: string) => string | null | undefined | Promise<string | null | undefined>
type HeaderSource = { get (name: string): string | null | undefined } | Record<string, string | string[] | undefined>

export function sharesOf (headers: HeaderSource, appShareOf: AppShareOf): Promise<Shares>
export function shareFolder (path: string): AppShareOf
export function withShares<T> (pool: Pool, shares: Shares, work: (client: PoolClient) => Promise<T>): Promise<T>
