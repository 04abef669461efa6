package io.radixflow.engine;

/**
 * Word of requests to come: so many begin with this prefix. With {@code --radix-eviction-policy known-uses} the cache keeps the prefix for
 * them, and frees it first when the last one is done.
 *
 * @param announcementId chosen by the client; each of the requests names it and so uses up one of {@code numUses}
 * @param namespace of the requests
 * @param prefixIds token ids that all of them begin with; nobody writes the array
 * @param numUses requests to come, at least 1
 */
public record PrefixAnnouncement(long announcementId, CacheNamespace namespace, int[] prefixIds, int numUses) {

    public PrefixAnnouncement {
        if (announcementId < 0 || prefixIds.length == 0 || numUses < 1) {
            throw new IllegalArgumentException(
                    "an announcement needs an id of at least 0, a prefix and at least 1 use; got id " + announcementId
                            + ", " + prefixIds.length + " tokens, " + numUses + " uses");
        }
    }
}
