/** Pictures as they come: chosen, dropped, pasted. */

export interface Sorted {
  pictures: File[];
  others: string[];
}

// Not every system knows a type for every picture the service reads.
const SUFFIXES = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|p[bgpn]m)$/i;

/** Part files into pictures and others, which are named. */
export function sortFiles(files: Iterable<File>): Sorted {
  const sorted: Sorted = { pictures: [], others: [] };
  for (const file of files) {
    if (file.type.startsWith("image/") || SUFFIXES.test(file.name)) sorted.pictures.push(file);
    else sorted.others.push(file.name);
  }
  return sorted;
}

/** A name without its suffix, for the names of what is made from it. */
export function stem(name: string): string {
  return name.replace(/\.[^.]+$/, "") || name;
}
