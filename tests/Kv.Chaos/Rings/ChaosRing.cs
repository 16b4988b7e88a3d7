using Kv.Chaos.Machines;

namespace Kv.Chaos.Rings;

/// <summary>All places for nodes, and the network between them. The first ones are members from the start; the others join and leave.</summary>
internal sealed class ChaosRing : IDisposable
{
    private readonly List<ChaosNode> nodes;

    public ChaosRing(ChaosOptions options, Action<string> say)
    {
        var slots = options.Nodes + options.Spare;
        Network = new Network(slots);
        nodes = [.. Enumerable.Range(0, slots).Select(slot => new ChaosNode(slot, options, say))];
    }

    public Network Network { get; }

    public IReadOnlyList<ChaosNode> All => nodes;

    /// <summary>Those that are meant to run: members, and nodes on their way in or out.</summary>
    public IReadOnlyList<ChaosNode> Wanted => [.. nodes.Where(node => node.IsWanted)];

    public async Task CreateAsync()
    {
        await Network.CreateAsync();
        foreach (var node in nodes)
        {
            foreach (var file in new[] { node.LogFile, node.Clock.File })
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            }

            await node.Volume.CreateAsync();
            node.Clock.Set(0);
        }
    }

    /// <summary>Starts what ended and is due, until cancelled.</summary>
    public async Task SuperviseAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (await Waits.NextAsync(timer, cancel))
        {
            nodes.ForEach(node => node.Look());
        }
    }

    public void Dispose()
    {
        nodes.ForEach(node => node.Dispose());
        Network.Dispose();
    }
}
