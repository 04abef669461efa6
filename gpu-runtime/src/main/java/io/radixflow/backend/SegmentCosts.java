package io.radixflow.backend;

/**
 * What reading a shared prefix once costs a backend's attention and what it saves, for one layer. Units of time cancel out; backends give
 * nanoseconds.
 *
 * @param granularity segments begin and end at multiples of so many tokens
 * @param maxExtendLen rows that compute more tokens don't take part, since they fill reads of their own; 0 if nothing is shared
 * @param tokensPerRead query tokens that one reading of the segment serves, at least {@code maxExtendLen}
 * @param readToken reading one token's K and V, in the form that queries of one row read it
 * @param readTogether the same for up to {@code tokensPerRead} query tokens
 * @param handOver keeping one query token's partial result and taking it up again
 * @param segment all else that one more segment costs
 */
public record SegmentCosts(
        int granularity,
        int maxExtendLen,
        int tokensPerRead,
        double readToken,
        double readTogether,
        double handOver,
        double segment) {

    /** Of backends whose attention reads every row for itself. */
    public static final SegmentCosts NEVER = new SegmentCosts(1, 0, 1, 0, 0, 0);

    public SegmentCosts {
        if (granularity < 1 || maxExtendLen < 0 || tokensPerRead < Math.max(1, maxExtendLen)) {
            throw new IllegalArgumentException("impossible costs of segments: granularity " + granularity + ", at most "
                    + maxExtendLen + " tokens a row, " + tokensPerRead + " a read");
        }
        if (!(readToken >= 0 && readTogether >= 0 && handOver >= 0 && segment >= 0)) {
            throw new IllegalArgumentException("negative costs of segments: " + readToken + " for reading a token, "
                    + readTogether + " together, " + handOver + " for handing one over, " + segment + " for a segment");
        }
    }

    /** Of backends where reading a token costs the same, whoever it is for. */
    public SegmentCosts(
            int granularity, int maxExtendLen, int tokensPerRead, double readToken, double handOver, double segment) {
        this(granularity, maxExtendLen, tokensPerRead, readToken, readToken, handOver, segment);
    }

    /** What one token of a segment saves that so many rows share, with so many query tokens in all. */
    public double savedPerToken(int numRows, int numTokens) {
        return readToken * numRows - readTogether * reads(numTokens);
    }

    /** Readings that one or more query tokens need together. */
    private int reads(int numTokens) {
        return (numTokens - 1) / tokensPerRead + 1;
    }
}
