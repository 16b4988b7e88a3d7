namespace Kv.Operator.Tests.Stubs;

/// <summary>Nodes whose pods and volumes somebody else keeps, and tells of.</summary>
internal sealed partial class SimulatedCluster
{
    /// <summary>A new pod of that name, on the volume that there is.</summary>
    public void StartPod(string name)
    {
        ProcessOf(name).Restart(template);
        down.Remove(name);
    }

    /// <summary>A pod ends that another of the same name follows.</summary>
    public void RestartPod(string name)
    {
        CheckRestart(name);
        Restarts++;
        down.Add(name);
    }

    /// <summary>A pod ends and none follows.</summary>
    public void TakePod(string name)
    {
        EndPod(name);
        down.Add(name);
    }

    /// <summary>All ends, as somebody wished who wants no cluster any more.</summary>
    public void EndAll() => members.Clear();

    /// <summary>A volume is gone; the next of that name is another node's.</summary>
    public void ForgetVolume(string name)
    {
        if (members.Count > 0)
        {
            RequireUseless(name, "deleted");
        }

        VolumeOf(name).Renew();
        VolumesDeleted++;
    }

    public bool IsPodReady(string name) => IsUp(name) && !exiting.ContainsKey(name);

    private void CheckRestart(string name)
    {
        var others = members.Where(member => member != name).ToList();
        if (IsUp(name) && (PendingTransfers > 0 || others.Any(other => !IsUp(other)) || others.Any(other => ProcessOf(other).Uptime < TimeSpan.FromSeconds(30))))
        {
            Breaches.Add($"{name} is restarted while others are not there");
        }
    }
}
