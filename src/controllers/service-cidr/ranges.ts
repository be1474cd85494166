/** Which ranges hold an address, or each other. Pure. */
import { type AddressRange, addressRange, isWithin, type ServiceCIDR } from '../../api/index.ts';

export function rangesOf({ spec }: ServiceCIDR): readonly AddressRange[] {
  return (spec?.cidrs ?? []).flatMap((text) => addressRange(text) ?? []);
}

/** An address as the range of it alone; undefined: it is none. */
export function rangeOfAddress(address: string): AddressRange | undefined {
  return addressRange(`${address}/${address.includes(':') ? 128 : 32}`);
}

export function holds(cidr: ServiceCIDR, range: AddressRange): boolean {
  return rangesOf(cidr).some((outer) => isWithin(range, outer));
}
