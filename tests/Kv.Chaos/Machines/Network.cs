using System.Globalization;
using System.Text;

namespace Kv.Chaos.Machines;

/// <summary>
/// A network namespace for each node, all on one bridge in ours, and what is wrong with the links between them. Faults are rules; a node's filter is
/// made anew from all rules that concern it, whole, whenever one comes or goes, so that faults may overlap in any order.
/// Addresses: 10.88.0.1 is ours, 10.88.0.10 + slot a node's.
/// </summary>
internal sealed class Network(int slots) : IDisposable
{
    /// <summary>Bits a second that a node with a slow link may send.</summary>
    private const string SlowRate = "400kbit";
    private const int Ours = -1;

    private readonly Lock gate = new();
    private readonly List<NetworkRule> rules = [];
    private readonly SemaphoreSlim applying = new(1);

    public static string AddressOf(int slot) => string.Create(CultureInfo.InvariantCulture, $"10.88.0.{(slot == Ours ? 1 : 10 + slot)}");

    public static string NamespaceOf(int slot) => string.Create(CultureInfo.InvariantCulture, $"n{slot}");

    /// <summary>Makes bridge and namespaces. What is made here goes with the last process of our own namespace.</summary>
    public async Task CreateAsync()
    {
        // A place of our own for names: `ip netns` keeps them where the whole machine would see them.
        Directory.CreateDirectory("/run/netns");
        await Tool.RunAsync("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
        await IpAsync("link set lo up");
        await IpAsync("link add br0 type bridge");
        await IpAsync($"addr add {AddressOf(Ours)}/24 dev br0");
        await IpAsync("link set br0 up");
        for (var slot = 0; slot < slots; slot++)
        {
            var name = NamespaceOf(slot);
            await IpAsync($"netns add {name}");
            await IpAsync($"link add v{slot} type veth peer name eth0 netns {name}");
            await IpAsync($"link set v{slot} master br0 up");
            await IpAsync($"-n {name} addr add {AddressOf(slot)}/24 dev eth0");
            await IpAsync($"-n {name} link set eth0 up");
            await IpAsync($"-n {name} link set lo up");
        }
    }

    public async Task AddAsync(IReadOnlyCollection<NetworkRule> added)
    {
        lock (gate)
        {
            rules.AddRange(added);
        }

        await ApplyAsync(added);
    }

    public async Task RemoveAsync(IReadOnlyCollection<NetworkRule> removed)
    {
        lock (gate)
        {
            foreach (var rule in removed)
            {
                rules.Remove(rule);
            }
        }

        await ApplyAsync(removed);
    }

    public void Dispose() => applying.Dispose();

    private static Task IpAsync(string arguments) => Tool.RunAsync("ip", arguments.Split(' '));

    private async Task ApplyAsync(IReadOnlyCollection<NetworkRule> changed)
    {
        await applying.WaitAsync();
        try
        {
            foreach (var slot in changed.Select(rule => rule.Slot).Distinct())
            {
                NetworkRule[] held;
                lock (gate)
                {
                    held = [.. rules.Where(rule => rule.Slot == slot)];
                }

                await FilterAsync(slot, held);
                await ShapeAsync(slot, held.Any(rule => rule is NetworkRule.Slow));
            }
        }
        finally
        {
            applying.Release();
        }
    }

    /// <summary>One transaction: the table is emptied and filled at once.</summary>
    private static Task FilterAsync(int slot, IEnumerable<NetworkRule> held)
    {
        var text = new StringBuilder("table ip chaos\ndelete table ip chaos\ntable ip chaos {\n");
        var inputs = new StringBuilder();
        var outputs = new StringBuilder();
        foreach (var rule in held)
        {
            switch (rule)
            {
                case NetworkRule.DropFrom drop:
                    inputs.AppendLine(CultureInfo.InvariantCulture, $"ip saddr {AddressOf(drop.Peer)} drop");
                    break;
                case NetworkRule.DropAll:
                    inputs.AppendLine("iifname eth0 drop");
                    outputs.AppendLine("oifname eth0 drop");
                    break;
                case NetworkRule.Loss loss:
                    inputs.AppendLine(CultureInfo.InvariantCulture, $"iifname eth0 numgen random mod 100 < {loss.Percent} drop");
                    break;
            }
        }

        text.Append(CultureInfo.InvariantCulture, $"chain in {{ type filter hook input priority 0; policy accept;\n{inputs}}}\n");
        text.Append(CultureInfo.InvariantCulture, $"chain out {{ type filter hook output priority 0; policy accept;\n{outputs}}}\n}}\n");
        return Tool.RunAsync("nsenter", [$"--net=/run/netns/{NamespaceOf(slot)}", "nft", "-f", "-"], text.ToString());
    }

    private static async Task ShapeAsync(int slot, bool isSlow)
    {
        var name = NamespaceOf(slot);
        if (isSlow)
        {
            await Tool.RunAsync("tc", $"-n {name} qdisc replace dev eth0 root tbf rate {SlowRate} burst 16kb latency 800ms".Split(' '));
        }
        else
        {
            // That there is none to remove is no error.
            await Tool.TryAsync("tc", $"-n {name} qdisc del dev eth0 root".Split(' '), "", CancellationToken.None);
        }
    }
}
