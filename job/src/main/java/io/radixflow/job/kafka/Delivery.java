package io.radixflow.job.kafka;

import org.apache.flink.connector.base.DeliveryGuarantee;

/** What a reader of the output topics may rely on. */
public enum Delivery {
    /** Each answer once for readers with {@code isolation.level=read_committed}; visible after the next checkpoint. */
    EXACTLY_ONCE("exactly-once", DeliveryGuarantee.EXACTLY_ONCE),
    /** Each answer at least once, visible at once; a restart may repeat some, with the same {@code custom_id}. */
    AT_LEAST_ONCE("at-least-once", DeliveryGuarantee.AT_LEAST_ONCE);

    private final String flagName;
    private final DeliveryGuarantee guarantee;

    Delivery(String flagName, DeliveryGuarantee guarantee) {
        this.flagName = flagName;
        this.guarantee = guarantee;
    }

    DeliveryGuarantee guarantee() {
        return guarantee;
    }

    /** As the command line spells it. */
    @Override
    public String toString() {
        return flagName;
    }
}
