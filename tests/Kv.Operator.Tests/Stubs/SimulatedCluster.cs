using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grpc.Core;
using Kv.Operator.Api;
using Kv.Operator.Api.Clusters;
using Kv.Operator.Clusters;
using Kv.Operator.Gates;
using Kv.Operator.Manifests;
using Kv.Operator.NodeAdmin;
using Admin = Kv.Protos.Admin.V1;

namespace Kv.Operator.Tests.Stubs;

/// <summary>
/// A world and its nodes in memory, with the nodes' own rules: a ring is made once, joins and leaves are staged, a plan is committed only as it was read and never
/// while partitions move, a member is forgotten only when it holds nothing. It records every breach, and can lose calls before or after they took effect.
/// </summary>
internal sealed partial class SimulatedCluster : IClusterWorld, INodeAdmin
{
    private readonly SortedDictionary<string, int> replicas = new(StringComparer.Ordinal);
    private readonly HashSet<string> down = [];
    private readonly List<string> members = [];
    private readonly Dictionary<string, string> memberIds = [];
    private readonly List<string> staged = [];

    // Nodes are asked several at once.
    private readonly ConcurrentDictionary<string, SimulatedVolume> volumes = [];
    private readonly Dictionary<string, (string Props, bool Active)> types = [];
    private readonly ConcurrentDictionary<string, SimulatedProcess> processes = [];
    private int template;
    private string clusterId = "";
    private string lastCommitted = "";
    private long version;

    /// <summary>What the operator should never have asked for.</summary>
    public List<string> Breaches { get; } = [];

    public int RingsCreated { get; private set; }

    public int Commits { get; private set; }

    public int PendingTransfers { get; private set; }

    public int Writes { get; private set; }

    /// <summary>What every node says of transfers.</summary>
    public List<Admin.Transfer> Transfers { get; } = [];

    /// <summary>Nodes that do not say what they know of transfers.</summary>
    public HashSet<string> Mute { get; } = [];

    /// <summary>What every node says of its certificate.</summary>
    public ObservedCertificate? Certificate { get; set; }

    /// <summary>Nodes that hold an old document, whatever they say.</summary>
    public HashSet<string> Behind { get; } = [];

    public IReadOnlyList<string> Members => members;

    public IReadOnlyDictionary<string, int> Replicas => replicas;

    /// <summary>Asked before (false) and after (true) each change: true loses the call or its answer.</summary>
    public Func<bool, bool> Loses { get; set; } = _ => false;

    /// <summary>The operator ends at this change, counted from one: before it (false) or after it took effect (true). Zero: never.</summary>
    public (int Change, bool After) Stops { get; set; }

    public int Changes { get; private set; }

    public void Down(string node) => down.Add(node);

    public void Up(string node) => down.Remove(node);

    public void Up() => down.Clear();

    public int Restarts { get; private set; }

    /// <summary>From now on nodes should run as something else.</summary>
    public void ChangeTemplate() => template++;

    /// <summary>Time passes: nodes that were restarted come back, and others have been up for longer.</summary>
    public void Elapse(TimeSpan time)
    {
        foreach (var process in processes.Values)
        {
            process.Elapse(time);
        }
    }

    public bool IsOutdated(string name) => ProcessOf(name).Template != template;

    private bool IsUp(string member) => !IsDown(member) && IsMember(member);

    /// <summary>By its identity, and not only by its name.</summary>
    private bool IsMember(string name) => memberIds.TryGetValue(name, out var id) && id == IdOf(name);

    private void Enter(string name)
    {
        members.Add(name);
        memberIds[name] = IdOf(name);
    }

    private bool IsDown(string name) => down.Contains(name) || ProcessOf(name).IsStarting;

    private SimulatedProcess ProcessOf(string name) => processes.GetOrAdd(name, _ => new SimulatedProcess(template));

    public void MovePartitions(int count)
    {
        PendingTransfers = Math.Max(0, PendingTransfers - count);
        rebuilding = Math.Max(0, rebuilding - count);
        MoveDamage(count);
        MoveLeavers(count);
    }

    public Task<ObservedCluster> ObserveAsync(Cluster cluster, CancellationToken cancel)
    {
        var children = ZoneShares.ZonesOf(cluster.Spec).Select(zone => new ObservedChild("StatefulSet", Names.StatefulSet(cluster, zone), replicas.ContainsKey(zone) ? ChildState.Current : ChildState.Missing));
        var nodes = replicas.SelectMany(pair => Enumerable.Range(0, pair.Value).Select(ordinal =>
        {
            var name = Names.Pod(cluster, pair.Key, ordinal);
            return new ObservedNode(name, pair.Key, ordinal)
            {
                Running = !IsDown(name),
                Ready = !IsDown(name) && IsMember(name) && !exiting.ContainsKey(name),
                Uid = ProcessOf(name).Uid,
                IsBroken = down.Contains(name),
                IsOutdated = IsOutdated(name) && !ProcessOf(name).IsStarting,
                AdminAddress = name,
                PeerAddress = name,
            };
        }));
        return Task.FromResult(new ObservedCluster
        {
            Children = [.. children],
            Workloads = [.. replicas.Select(pair => new ObservedWorkload(pair.Key, Names.StatefulSet(cluster, pair.Key), pair.Value) { StorageSize = "10Gi" })],
            Nodes = [.. nodes],
            Volumes = [.. VolumesOf(cluster)],
            DisruptionsAllowed = disruptions,
        });
    }

    public Task ApplyChildrenAsync(Cluster cluster, ObservedCluster observed, IReadOnlyDictionary<string, int> replicasByZone, CancellationToken cancel)
    {
        Change("world", () =>
        {
            foreach (var (zone, count) in replicasByZone)
            {
                for (var ordinal = count; ordinal < replicas.GetValueOrDefault(zone); ordinal++)
                {
                    EndPod(Names.Pod(cluster, zone, ordinal));
                }

                replicas[zone] = count;
            }
        });
        return Task.CompletedTask;
    }

    public Task<GateVerdict.Closed?> RestartAsync(Cluster cluster, ObservedNode node, bool isBroken, CancellationToken cancel)
    {
        if (!isBroken && disruptions == 0)
        {
            return Task.FromResult<GateVerdict.Closed?>(new GateVerdict.Closed(Conditions.Reasons.BudgetSpent, "not now", IsPassing: true));
        }

        Change("world", () =>
        {
            if (ProcessOf(node.Name).Uid != node.Uid)
            {
                return;
            }

            CheckRestart(node.Name);
            processes[node.Name].Restart(template);
            Restarts++;
        });
        return Task.FromResult<GateVerdict.Closed?>(null);
    }

    public Task<Admin.Node> GetNodeAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        return Task.FromResult(new Admin.Node
        {
            Id = IdOf(address),
            Name = address,
            Version = "0.1.0",
            UptimeSeconds = (long)ProcessOf(address).Uptime.TotalSeconds,
            ClusterId = IsMember(address) || staged.Contains(address) || stagedReplaces.ContainsKey(address) || IsRemoved(address) ? clusterId : "",
            CertificateNotBefore = Certificate?.NotBefore.ToUnixTimeSeconds() ?? 0,
            CertificateNotAfter = Certificate?.NotAfter.ToUnixTimeSeconds() ?? 0,
            Removed = IsRemoved(address),
            HeldPartitions = exiting.GetValueOrDefault(address, members.Contains(address) ? 1 : 0),
            Damaged = { Damaged.Where(damage => damage.Node == address).Select(damage => new Admin.DamagedPartition { Partition = damage.Partition, Reason = "a checksum is wrong" }) },
        });
    }

    public Task<Admin.Cluster> GetClusterAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        if (IsRemoved(address))
        {
            throw new NodeRefusedException(StatusCode.FailedPrecondition, "not_in_cluster: it was removed");
        }

        return Task.FromResult(View());
    }

    public Task<Admin.Cluster> CreateClusterAsync(string address, string id, string name, int ringSize, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () =>
        {
            if (clusterId.Length > 0)
            {
                if (!members.Contains(address))
                {
                    Breaches.Add($"a second ring on {address}");
                }

                return;
            }

            (clusterId, version) = (id, 1);
            Enter(address);
            RingsCreated++;
        });
        return Task.FromResult(View());
    }

    public Task<Admin.Plan> StageJoinAsync(string address, long documentVersion, IEnumerable<string> peerAddresses, CancellationToken cancel)
    {
        Reach(address);
        RequireVersion(address, documentVersion);
        Change(address, () =>
        {
            foreach (var peer in peerAddresses.Where(peer => !members.Contains(peer) && !staged.Contains(peer)))
            {
                Reach(peer);
                if (IsRemoved(peer))
                {
                    Breaches.Add($"{peer} joins, though its volume says that it left");
                }

                staged.Add(peer);
                version++;
            }
        });
        return GetPlanAsync(address, cancel);
    }

    public Task<Admin.Plan> GetPlanAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        return Task.FromResult(new Admin.Plan { PlanId = PlanId(), Transfers = (staged.Count + stagedLeaves.Count) * 3 });
    }

    public Task<Admin.Cluster> CommitPlanAsync(string address, string planId, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () =>
        {
            // As a node knows it: a commit that is sent again has been done.
            if (planId == lastCommitted)
            {
                return;
            }

            if (PendingTransfers + Rebuilding.Count > 0 && stagedReplaces.Count + stagedRemoves.Count == 0)
            {
                Breaches.Add("a commit while partitions move");
            }

            if (planId != PlanId())
            {
                throw new NodeRefusedException(StatusCode.FailedPrecondition, "plan_changed: what is staged is not that any more");
            }

            CheckLeaves(stagedLeaves, allowFewerZones: true);
            PendingTransfers += (staged.Count + stagedLeaves.Count) * 3;
            staged.ForEach(Enter);
            CommitLosses();
            leaving.UnionWith(stagedLeaves);
            staged.Clear();
            stagedLeaves.Clear();
            lastCommitted = planId;
            version++;
            Commits++;
        });
        return Task.FromResult(View());
    }

    public Task<Admin.Transfers> GetTransfersAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        if (Mute.Contains(address))
        {
            throw new NodeUnreachableException(address, "takes too long", null);
        }

        return Task.FromResult(new Admin.Transfers { Transfers_ = { Transfers } });
    }

    public Task<Admin.BucketType> CreateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () => types[name] = (propsJson, false));
        return Task.FromResult(Type(name)!);
    }

    public Task<Admin.BucketType> ActivateBucketTypeAsync(string address, string name, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () => types[name] = types[name] with { Active = true });
        return Task.FromResult(Type(name)!);
    }

    public Task<Admin.BucketType> UpdateBucketTypeAsync(string address, string name, string propsJson, CancellationToken cancel)
    {
        Reach(address);
        Change(address, () =>
        {
            var props = System.Text.Json.Nodes.JsonNode.Parse(types[name].Props)!.AsObject();
            foreach (var (key, value) in System.Text.Json.Nodes.JsonNode.Parse(propsJson)!.AsObject())
            {
                props[key] = value?.DeepClone();
            }

            types[name] = types[name] with { Props = props.ToJsonString() };
        });
        return Task.FromResult(Type(name)!);
    }

    public Task<Admin.BucketTypes> ListBucketTypesAsync(string address, CancellationToken cancel)
    {
        Reach(address);
        var list = new Admin.BucketTypes();
        list.BucketTypes_.Add(new Admin.BucketType { Name = "default", State = Admin.BucketType.Types.State.Active, PropsJson = """{"n_val":3,"r":"quorum"}""" });
        return Task.FromResult(list);
    }

    public Task<Admin.BucketType?> FindBucketTypeAsync(string address, string name, CancellationToken cancel)
    {
        Reach(address);
        return Task.FromResult(Type(name));
    }

    private string PlanId()
    {
        var changes = staged.Concat(stagedLeaves).Concat(stagedReplaces.Keys).Concat(stagedRemoves).ToList();
        return changes.Count == 0 ? "" : $"{version}:{string.Join("+", changes)}";
    }

    private Admin.BucketType? Type(string name)
    {
        if (!types.TryGetValue(name, out var type))
        {
            return null;
        }

        var missing = members.Where(member => !IsUp(member)).ToList();
        var answer = new Admin.BucketType { Name = name, PropsJson = type.Props };
        answer.MissingOn.AddRange(missing);
        answer.State = type.Active ? Admin.BucketType.Types.State.Active : missing.Count == 0 ? Admin.BucketType.Types.State.Ready : Admin.BucketType.Types.State.Created;
        return answer;
    }

    private Admin.Cluster View()
    {
        var view = new Admin.Cluster { ClusterId = clusterId, DocumentVersion = version, RingSize = 64, Converged = true, PendingTransfers = PendingTransfers };
        view.Members.AddRange(members.Select(name => new Admin.Member
        {
            Id = memberIds[name],
            Name = name,
            State = StateOf(name),
            Partitions = StateOf(name) == Admin.MemberState.Exiting ? 0 : 64 / members.Count,
            Up = IsUp(name),
        }));
        view.Members.AddRange(staged.Concat(stagedReplaces.Keys).Select(name => new Admin.Member { Id = IdOf(name), Name = name, State = Admin.MemberState.Joining, Up = !IsDown(name) }));
        view.Staged.AddRange(staged.Select(name => new Admin.StagedChange { Kind = Admin.StagedChange.Types.Kind.Join, NodeId = IdOf(name), NodeName = name }));
        view.Staged.AddRange(stagedLeaves.Select(name => new Admin.StagedChange { Kind = Admin.StagedChange.Types.Kind.Leave, NodeId = memberIds[name], NodeName = name }));
        AddLosses(view);
        view.Rebuilding.AddRange(Rebuilding.Select(partition => (uint)partition));
        var owners = Enumerable.Range(0, members.Count).Where(i => !exiting.ContainsKey(members[i])).ToList();
        view.Owners.AddRange(owners.Count == 0 ? [] : Enumerable.Range(0, 64).Select(partition => (uint)owners[partition % owners.Count]));

        return view;
    }

    private void Reach(string address)
    {
        if (IsDown(address))
        {
            throw new NodeUnreachableException(address, "is down", null);
        }
    }

    private void RequireVersion(string address, long seen)
    {
        if (seen != version || Behind.Contains(address))
        {
            throw new NodeRefusedException(StatusCode.FailedPrecondition, $"document_changed: this node holds another version than {seen}");
        }
    }

    private void Stop(bool after)
    {
        if (Stops == (Changes, after))
        {
            throw new OperatorStoppedException();
        }
    }

    private void Change(string address, Action change)
    {
        Changes++;
        Stop(after: false);
        if (Loses(false))
        {
            throw new NodeUnreachableException(address, "lost the request", null);
        }

        change();
        Writes++;
        Stop(after: true);
        if (Loses(true))
        {
            throw new NodeUnreachableException(address, "lost the answer", null);
        }
    }
}
