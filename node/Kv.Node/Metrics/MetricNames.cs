namespace Kv.Node.Metrics;

/// <summary>
/// The glossary of a node's metrics: every series of ours that `/metrics` can show, by its name there, with its kind and labels. Dashboards and
/// alerts use these names and no others; a test holds what is scraped against this table.
/// </summary>
public static class MetricNames
{
    public const string NodeMeter = "Kv.Node";
    public const string ClusterMeter = "Kv.Cluster";
    public const string RuntimeMeter = "System.Runtime";

    public const string BuildInfo = "kv_build_info";
    public const string RingVersion = "kv_ring_version";
    public const string RingOwnedPartitions = "kv_ring_owned_partitions";
    public const string RingConverged = "kv_ring_converged";
    public const string RingUnsettledPartitions = "kv_ring_unsettled_partitions";
    public const string Members = "kv_members";
    public const string PeerUp = "kv_peer_up";
    public const string TransfersPending = "kv_transfers_pending";
    public const string StorageBytes = "kv_storage_bytes";
    public const string StorageFreeBytes = "kv_storage_free_bytes";
    public const string StorageLogBytes = "kv_storage_log_bytes";
    public const string StorageCheckpoints = "kv_storage_checkpoints";
    public const string StorageCompactions = "kv_storage_compactions";
    public const string StorageRefusals = "kv_storage_refusals";
    public const string StorageCommitSeconds = "kv_storage_commit_duration_seconds";
    public const string MemoryLimitBytes = "kv_memory_limit_bytes";
    public const string NodeReady = "kv_node_ready";

    /// <summary>Name as scraped, Prometheus type, labels, meaning.</summary>
    public static IReadOnlyList<(string Name, string Type, string Labels, string Meaning)> All { get; } =
    [
        (BuildInfo, "gauge", "version, node, zone", "always 1; joins a node's name and zone onto other series"),
        (NodeReady, "gauge", "", "1 where /readyz says so"),
        (RingVersion, "gauge", "", "version of the cluster document that the node holds; 0 before it is in a cluster"),
        (RingOwnedPartitions, "gauge", "", "partitions that this node owns"),
        (RingUnsettledPartitions, "gauge", "", "partitions of the ring that are on their way to another owner"),
        (RingConverged, "gauge", "", "1 where all members that are up hold the same document"),
        (Members, "gauge", "state", "members by state"),
        (PeerUp, "gauge", "peer", "1 where this node sees that member up"),
        (TransfersPending, "gauge", "kind, state", "transfers from this node (ownership, hinted) that wait, run, or failed and are tried again"),
        ("kv_transfers_completed_total", "counter", "kind", "transfers from this node that are done"),
        ("kv_transfers_failed_total", "counter", "kind", "attempts at transfers from this node that failed"),
        ("kv_transfer_objects_total", "counter", "direction", "objects handed over: sent, received"),
        ("kv_transfer_bytes_total", "counter", "direction", "bytes of keys and objects handed over: sent, received"),
        ("kv_partitions_rebuilding", "gauge", "", "partitions that this node owns and has not all data of yet"),
        ("kv_partitions_damaged", "gauge", "", "partitions whose data here is damaged or gone, and not served"),
        ("kv_hints", "gauge", "", "objects held here that belong to other nodes, about"),
        ("kv_hints_refused", "gauge", "", "objects held for others that their owners refuse to take"),
        ("kv_hints_returned_total", "counter", "", "objects held for others that are with their owners now"),
        ("kv_exchanges_total", "counter", "outcome", "comparisons of two hash trees that this node asked for: equal, repaired, failed"),
        ("kv_exchange_duration_seconds", "histogram", "", "time of exchanges that ran to the end"),
        ("kv_exchange_bytes_total", "counter", "", "bytes of hashes and keys that exchanges moved"),
        ("kv_exchange_keys_total", "counter", "", "keys that exchanges found to differ"),
        ("kv_tree_builds_total", "counter", "", "vnodes whose hash trees were built anew from the data"),
        ("kv_scrubs_total", "counter", "", "vnodes without hash trees whose data was read in full to see whether any rotted"),
        ("kv_trees_unbuilt", "gauge", "", "vnodes of this node whose hash trees are to be built"),
        (StorageBytes, "gauge", "", "bytes of data on disk"),
        (StorageFreeBytes, "gauge", "", "bytes free on the volume"),
        (StorageLogBytes, "gauge", "", "bytes of the log's segments"),
        (StorageCheckpoints + "_total", "counter", "", "checkpoints completed"),
        (StorageCompactions + "_total", "counter", "", "compaction passes completed"),
        (StorageRefusals + "_total", "counter", "", "writes refused because the disk was nearly full or the log at its cap"),
        (StorageCommitSeconds, "histogram", "", "time to write and sync a group of the log"),
        (MemoryLimitBytes, "gauge", "", "bytes that the process may use"),
        ("kv_request_duration_seconds", "histogram", "operation, bucket_type, outcome", "time from a request's acceptance to its outcome; a bucket type that there is not is `(unknown)`"),
        ("kv_requests_active", "gauge", "", "requests under way"),
        ("kv_requests_forwarded_total", "counter", "", "writes handed to a node of their preference list"),
        ("kv_request_overloads_total", "counter", "", "requests refused because too many were under way"),
        ("kv_precommit_failures_total", "counter", "", "writes that a precommit hook refused, or that were refused because it failed"),
        ("kv_hook_calls_total", "counter", "hook, event, outcome", "calls of commit hooks; events precommit, postcommit; outcomes accepted, replaced, refused, failed, ignored, overloaded"),
        ("kv_hook_duration_seconds", "histogram", "event", "time of calls of commit hooks"),
        ("kv_hook_queue", "gauge", "", "writes that postcommit hooks are still to be told of"),
        ("kv_hook_drops_total", "counter", "", "writes that a postcommit hook was not told of"),
        ("kv_quorum_failures_total", "counter", "rule", "requests whose quorum was not met"),
        ("kv_queue_depth", "gauge", "queue", "what a bounded queue of the node holds; of those that each vnode has, the fullest"),
        ("kv_queue_limit", "gauge", "queue", "what that queue may hold"),
        ("kv_vnode_mailbox_depth", "gauge", "", "commands waiting in the fullest mailbox"),
        ("kv_vnode_mailbox_commands", "gauge", "", "commands waiting in all mailboxes"),
        ("kv_vnode_overloads_total", "counter", "", "commands refused by a full mailbox"),
        ("kv_read_repairs_total", "counter", "reason", "replicas that a read found missing or stale and sent the merged object"),
        ("kv_read_repairs_skipped_total", "counter", "", "repairs not begun because too many were under way"),
        ("kv_reaps_total", "counter", "", "tombstones removed"),
        ("kv_object_siblings", "histogram", "operation", "siblings of the object: get as answered, put as written"),
        ("kv_object_size_bytes", "histogram", "operation", "bytes of all values of the object: get as answered, put as written"),
        ("kv_sibling_warnings_total", "counter", "", "writes that left more siblings than the warning threshold"),
        ("kv_object_size_warnings_total", "counter", "", "writes that left an object larger than the warning threshold"),
    ];
}
